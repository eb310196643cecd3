"""Names the version of a module that runs: by a hash of its files, and one of its config."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from synapse_module_bridge.transport.framing import to_body

# Enough to tell versions apart, and short enough to be read aloud.
CHARACTERS = 12


class Version(NamedTuple):
    """Both are the same in two processes that run the same."""

    files: str
    config: str


def version_of(declared: Mapping[str, Any], config: Any, secret: bytes) -> Version:
    """The version of a module, which the host has declared so, with this config.

    A config may have short secrets, which could be guessed from a plain hash. So `secret` goes into its hash: something
    that all processes of a deployment have, and nobody else.
    """
    return Version(_of_files(declared), hmac.new(secret, to_body(config), "sha256").hexdigest()[:CHARACTERS])


def _of_files(declared: Mapping[str, Any]) -> str:
    files: Mapping[str, str] = {**declared.get("files", {}), **declared.get("packages", {})}
    # The module's own file is the first. Another machine may have the same files in another folder.
    folder = os.path.dirname(next(iter(files), ""))
    named = sorted((os.path.relpath(path, folder or "/"), digest) for path, digest in files.items())
    return hashlib.sha256(to_body(named)).hexdigest()[:CHARACTERS]
