"""The hashes by which admins tell versions of modules apart."""

import pytest
from synapse_module_bridge.supervision.versions import version_of

DECLARED = {"files": {"/a/policy.ts": "1", "/a/lib/helper.ts": "2"}, "packages": {"/a/node_modules/p/index.js": "3"}}
ELSEWHERE = {"files": {"/b/policy.ts": "1", "/b/lib/helper.ts": "2"}, "packages": {"/b/node_modules/p/index.js": "3"}}
CONFIG = {"token": "1234"}
HERE = version_of(DECLARED, CONFIG, b"secret")


def test_the_same_files_in_another_folder_are_the_same_version() -> None:
    assert version_of(ELSEWHERE, {**CONFIG}, b"secret") == HERE


@pytest.mark.parametrize(
    "declared",
    [
        {**DECLARED, "files": {**DECLARED["files"], "/a/policy.ts": "4"}},
        {**DECLARED, "files": {**DECLARED["files"], "/a/lib/helper.ts": "4"}},
        {**DECLARED, "packages": {"/a/node_modules/p/index.js": "4"}},
        {**DECLARED, "packages": {}},
        {},
    ],
)
def test_other_files_are_another_version_with_the_same_config(declared: dict[str, dict[str, str]]) -> None:
    version = version_of(declared, CONFIG, b"secret")
    assert version.files != HERE.files and version.config == HERE.config


@pytest.mark.parametrize("config", [{}, None, {"token": "1235"}, {"token": "1e400"}])
def test_another_config_is_another_version_of_the_same_files(config: object) -> None:
    version = version_of(DECLARED, config, b"secret")
    assert version.files == HERE.files and version.config != HERE.config


def test_who_lacks_the_secret_cannot_guess_a_config() -> None:
    assert version_of(DECLARED, CONFIG, b"another").config != HERE.config
