"""The package without what is built into it: it cannot be built, and says so where it was installed."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

SHIM = Path(__file__).parents[2] / "python-shim"
VERSION = version("synapse-module-bridge")


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A copy of the sources, as a fresh clone has them."""
    folder = tmp_path / "shim"
    shutil.copytree(SHIM, folder, ignore=shutil.ignore_patterns("_host", "_page", "dist", "__pycache__"))
    return folder


def give_host(shim: Path, version: str) -> None:
    host = shim / "synapse_module_bridge/_host"
    host.mkdir()
    (host / "package.json").write_text(f'{{"version": "{version}"}}')
    (host / "cli.mjs").touch()
    (host / "THIRD_PARTY_LICENSES.txt").touch()
    (host / "compiler-licenses.txt").touch()


def give_page(shim: Path) -> None:
    page = shim / "synapse_module_bridge/_page"
    page.mkdir()
    (page / "index.html").touch()
    (page / "THIRD_PARTY_LICENSES.txt").touch()


REMEDY = "Run `npm ci && npm run wheel` at the root of the project: it builds both, and needs Node >= 20.19"


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_without_the_host_nothing_is_built(shim: Path, target: str) -> None:
    done = run(shim, "-m", "hatchling", "build", "-t", target)
    assert done.returncode != 0
    assert done.stderr.rstrip().splitlines()[-1] == (
        "synapse-module-bridge: the Node host is not built (synapse_module_bridge/_host is missing). " + REMEDY
    )
    assert not list(shim.glob("dist/*"))


def test_with_the_host_of_another_version_nothing_is_built(shim: Path) -> None:
    give_host(shim, "0.0.9")
    done = run(shim, "-m", "hatchling", "build", "-t", "wheel")
    assert done.returncode != 0
    assert f"the Node host in synapse_module_bridge/_host is 0.0.9, and this is {VERSION}. {REMEDY}" in done.stderr


def test_without_the_page_nothing_is_built(shim: Path) -> None:
    give_host(shim, VERSION)
    done = run(shim, "-m", "hatchling", "build", "-t", "wheel")
    assert done.returncode != 0
    assert f"the admin's page is not built (synapse_module_bridge/_page is missing). {REMEDY}" in done.stderr


def test_with_both_the_wheel_and_the_source_archive_are_built(shim: Path) -> None:
    give_host(shim, VERSION)
    give_page(shim)
    done = run(shim, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist")
    assert done.returncode == 0, done.stderr
    assert len(list(shim.glob("dist/*"))) == 2


@pytest.mark.parametrize(
    ("args", "code", "prefix"),
    [
        (["-m", "synapse_module_bridge", "check", "homeserver.yaml"], 2, ""),
        (["-m", "synapse_module_bridge", "check", "module.ts"], 1, ""),
        (
            ["-c", "from synapse_module_bridge import ModuleBridge"],
            1,
            "synapse_module_bridge.schema.startup_problems.StartupError: ",
        ),
    ],
)
def test_an_installation_without_the_host_says_so_in_the_last_line(
    shim: Path, args: list[str], code: int, prefix: str
) -> None:
    done = run(shim, *args)
    assert done.returncode == code
    missing = shim / "synapse_module_bridge/_host/schemas"
    assert done.stderr.splitlines()[-1] == (
        f"{prefix}synapse_module_bridge: cannot start: this installation is without the Node host "
        f"({missing} is missing): install the released package, or, from the "
        "sources, the wheel that `npm run wheel` builds"
    )
    assert prefix or len(done.stderr.splitlines()) == 1
