"""Serves the admin's page: the files that the build has made. They hold nothing secret, so they need no token.

They are read once, at the start: an upgrade on disk does not mix two versions, and nothing of Node is needed.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synapse.http.server import UnrecognizedRequestResource
from twisted.web.resource import Resource

from synapse_module_bridge.schema.admin import ADMIN_PATH
from synapse_module_bridge.schema.installed import PAGE_FOLDER
from synapse_module_bridge.schema.startup_problems import StartupProblem

# Above the API, whose path ends with its version.
PATH = ADMIN_PATH.rpartition("/")[0]
_INDEX = "index.html"
_NONCE = b"{{nonce}}"
# Only the page's own script and style have the nonce. `'self'` would let in whatever users have uploaded to this
# server. Browsers with Trusted Types also refuse to make markup of text.
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
IsServed = Callable[[], bool]


class PageResource(UnrecognizedRequestResource):
    """What is at PATH. The page and its files are below it, and so may other resources be.

    While `is_served` says no, all this looks like paths that do not exist.
    Raises StartupProblem where the package has no page.
    """

    def __init__(self, is_served: IsServed, folder: Path = PAGE_FOLDER) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Twisted's
        self._is_served = is_served
        for path in _files(folder):
            if path.name == _INDEX:
                self._put("", _Index(is_served, path))
            else:
                self._put(path.name, _Served(is_served, path))

    def _put(self, name: str, resource: Any) -> None:
        self.putChild(name.encode("ascii"), resource)

    def render(self, request: Any) -> Any:
        if request.method not in (b"GET", b"HEAD") or not self._is_served():
            return super().render(request)
        # The page names its files and the API relative to its own path, which ends with a slash.
        request.setResponseCode(308)
        request.setHeader("Location", f"{PATH}/")
        return b""


class _Served(Resource):
    """A file of the page, which is kept in memory."""

    def __init__(self, is_served: IsServed, path: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Twisted's
        self._is_served = is_served
        self._type = _TYPES[path.suffix]
        self._body = path.read_bytes()

    def getChild(self, path: bytes, request: Any) -> Any:
        return _unknown()

    def render(self, request: Any) -> Any:
        if request.method not in (b"GET", b"HEAD") or not self._is_served():
            return _unknown().render(request)
        headers, body = self._answer()
        for name, value in {**_HEADERS, "Content-Type": self._type, **headers}.items():
            request.setHeader(name, value)
        request.setHeader("Content-Length", str(len(body)))
        return b"" if request.method == b"HEAD" else body

    def _answer(self) -> tuple[dict[str, str], bytes]:
        # The name has a hash of the content, so browsers may keep it.
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        return headers, self._body


class _Index(_Served):
    """The page itself, with a new nonce each time."""

    def _answer(self) -> tuple[dict[str, str], bytes]:
        nonce = secrets.token_urlsafe(18)
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY.format(nonce=nonce)}
        return headers, self._body.replace(_NONCE, nonce.encode("ascii"))


def _unknown() -> Any:
    """What Synapse has at paths that do not exist."""
    return UnrecognizedRequestResource()  # type: ignore[no-untyped-call] # Twisted's


def _files(folder: Path) -> list[Path]:
    try:
        files = [path for path in folder.iterdir() if path.suffix in _TYPES]
    except OSError:
        files = []
    if all(path.name != _INDEX for path in files):
        raise StartupProblem(
            ("admin_api",),
            f"this installation is without the admin's page ({folder} is missing): set `api`, install the released "
            "package, or, from the sources, the wheel that `npm run wheel` builds",
        )
    return files
