"""The admin's page as it is served: its headers and its paths."""

import re
from pathlib import Path
from typing import Any

import pytest
from synapse.http.server import UnrecognizedRequestResource
from synapse_module_bridge.admin.page import PageResource
from synapse_module_bridge.schema.startup_problems import StartupProblem
from twisted.web.resource import Resource, getChildForRequest
from twisted.web.static import Data
from twisted.web.test.requesthelper import DummyRequest

INDEX = b'<script src="page-1.js" nonce="{{nonce}}"></script><link href="page-2.css" nonce="{{nonce}}">'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_bytes(INDEX)
    (tmp_path / "page-1.js").write_bytes(b"1")
    (tmp_path / "THIRD_PARTY_LICENSES.txt").write_bytes(b"MIT")
    return tmp_path


class Answer:
    """What a request to these segments below the page's path is answered."""

    def __init__(self, resource: Resource, *segments: bytes, method: bytes = b"GET") -> None:
        request: Any = DummyRequest(list(segments))
        request.method = method
        found = getChildForRequest(resource, request)
        self.is_unknown = isinstance(found, UnrecognizedRequestResource) and not isinstance(found, PageResource)
        self.body = b"" if self.is_unknown else found.render(request)
        self.status = request.responseCode
        self.headers = {
            name.decode(): values[0].decode() for name, values in request.responseHeaders.getAllRawHeaders()
        }


@pytest.fixture
def page(folder: Path) -> Resource:
    resource: Resource = PageResource(lambda: True, folder)
    return resource


def test_the_page_has_a_policy_that_lets_in_its_own_script_alone_by_a_nonce_of_this_time(page: Resource) -> None:
    one, other = (Answer(page, b"") for _ in range(2))
    nonces = []
    for answer in one, other:
        policy = answer.headers["Content-Security-Policy"]
        [nonce] = re.findall(r"script-src 'nonce-([\w-]{24})'", policy)
        assert answer.body == INDEX.replace(b"{{nonce}}", nonce.encode())
        assert policy == (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        nonces.append(nonce)
    assert nonces[0] != nonces[1]
    assert one.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("name", "type"), [(b"", "text/html"), (b"page-1.js", "text/javascript")])
def test_every_file_says_what_it_is_and_keeps_other_sites_out(page: Resource, name: bytes, type: str) -> None:
    answer = Answer(page, name)
    assert answer.headers["Content-Type"].startswith(type)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_files_have_a_hash_in_their_names_so_browsers_may_keep_them(page: Resource) -> None:
    answer = Answer(page, b"page-1.js")
    assert answer.body == b"1"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_head_has_the_length_and_no_body(page: Resource) -> None:
    answer = Answer(page, b"page-1.js", method=b"HEAD")
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "1")


def test_without_the_slash_a_browser_is_sent_to_the_one_with_it(page: Resource) -> None:
    answer = Answer(page)
    assert (answer.status, answer.headers["Location"]) == (308, "/_synapse/client/module_bridge/")


@pytest.mark.parametrize(
    "segments",
    [
        [b"index.html"],
        [b"THIRD_PARTY_LICENSES.txt"],
        [b"page-1.js", b""],
        [b"", b"page-1.js"],
        [b"..", b"admin", b"page.py"],
        [b"%2e%2e"],
        [b"v2"],
    ],
)
def test_nothing_else_is_there(page: Resource, segments: list[bytes]) -> None:
    assert Answer(page, *segments).is_unknown


def test_the_api_stands_below_it(page: Resource) -> None:
    api: Any = Data(b"api", "text/plain")
    page.putChild(b"v1", api)
    assert Answer(page, b"v1").body == b"api"


def test_an_upgrade_on_disk_does_not_change_what_is_served(page: Resource, folder: Path) -> None:
    (folder / "page-1.js").unlink()
    assert Answer(page, b"page-1.js").body == b"1"


def test_without_the_files_synapse_does_not_start(tmp_path: Path) -> None:
    for folder in tmp_path, tmp_path / "missing":
        with pytest.raises(StartupProblem, match="without the admin's page"):
            PageResource(lambda: True, folder)
