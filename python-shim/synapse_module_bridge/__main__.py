"""Implements the command `synapse-module-bridge` of the wheel, for which pip makes a Python script.

It checks a homeserver.yaml and sets modes itself. For all else, it runs the built host's command, with the Node that
the shim finds.
"""

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import NoReturn

from synapse_module_bridge.command.as_user import CannotBecome, become_user
from synapse_module_bridge.command.exit_codes import NOT_LOOKED
from synapse_module_bridge.command.report import not_looked
from synapse_module_bridge.schema.startup_problems import StartupError, StartupProblem

# The host's own help describes the npm package's command, which checks no homeserver.yaml.
_HELP = """\
usage: synapse-module-bridge [--help] [--version] COMMAND ...

Matrix Synapse modules in TypeScript

commands:
  check   check homeserver.yaml or modules, and show which callback goes to which module
  mode    switch a module off or on, or to shadow, also while Synapse runs
  call    ask a module about one call, without a Synapse
  replay  ask a module everything that a recording has, and show where its verdicts differ

`synapse-module-bridge COMMAND --help` describes one command.
"""
_MODULE = re.compile(r"\.[mc]?[jt]sx?$")


def main() -> None:
    """Runs the command with the process's arguments, and exits."""
    args = sys.argv[1:]
    if args[:1] == ["help"]:
        args = [*args[1:2], "--help"]
    if not args:
        sys.exit(_HELP.rstrip())
    if args[0] in ("-h", "--help"):
        print(_HELP, end="")
        return
    if args[0] == "mode":
        sys.exit(_run(lambda: _mode(args[1:])))
    if args[:1] == ["check"] and (asked := _of_homeserver(args[1:])):
        sys.exit(_run(lambda: _check(asked), as_json=asked.json))
    try:
        _run_host_command(args)
    except StartupProblem as e:
        sys.exit(f"synapse-module-bridge: {e.message}")
    except StartupError as e:
        sys.exit(str(e))


def _run_host_command(args: Sequence[str]) -> NoReturn:
    # Imported here, since the import raises StartupError where the package has no built host.
    from synapse_module_bridge.process.node import check_version, find_node
    from synapse_module_bridge.schema.installed import HOST_FOLDER

    node = find_node(None)
    check_version(node)
    os.execv(node, [node, str(HOST_FOLDER / "cli.mjs"), *args])


def _of_homeserver(args: Sequence[str]) -> argparse.Namespace | None:
    """The arguments, where they are about homeserver.yaml; None where they are modules. Exits where they are wrong."""
    parser = argparse.ArgumentParser(
        "synapse-module-bridge check",
        description="Check a configuration or modules, and show which callback goes to which module. "
        "The exit code is 0 if nothing is wrong, 1 if something is, and 2 if the check could not be made.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        help="the files and folders that Synapse is started with (homeserver.yaml, conf.d), or modules",
    )
    parser.add_argument("--config", metavar="FILE", help="the config of the module, where a module is checked")
    parser.add_argument("--json", action="store_true", help="print JSON, as schemas/check.schema.json describes it")
    parser.add_argument("--user", metavar="NAME", help="try the files as this user of the system; only root can")
    parser.add_argument("--synapse", metavar="VERSION", help="tell what this release of Synapse lacks, such as 1.130.0")
    known = parser.parse_args(args)
    modules = [path for path in known.paths if _is_module(path)]
    if 0 < len(modules) < len(known.paths):
        parser.error(f"check either modules ({', '.join(modules)}) or the files of homeserver.yaml, not both at once")
    if known.config is not None and not modules:
        parser.error(
            "--config goes with one module; in homeserver.yaml, a module's config stands beside its path, as `config` "
            "or `config_file`"
        )
    return None if modules else known


def _is_module(path: str) -> bool:
    return _MODULE.search(path) is not None or os.path.exists(os.path.join(path, "package.json"))


def _mode(args: Sequence[str]) -> int:
    from synapse_module_bridge.command.mode import mode

    return mode(args)


def _check(asked: argparse.Namespace) -> int:
    if asked.user is not None:
        become_user(asked.user)
    try:
        from synapse_module_bridge.command.check import Options, check
    except (ImportError, PermissionError) as e:
        if asked.user is None:
            raise
        raise CannotBecome(f"{asked.user} cannot read the packages of this Python ({sys.prefix}): {e}") from None
    options = Options(json=asked.json, synapse=asked.synapse, as_user=asked.user is not None)
    return check(asked.paths, options)


def _run(command: Callable[[], int], as_json: bool = False) -> int:
    """Runs a command that imports Synapse, which takes a second, and the host's declarations. Returns the exit code."""
    # Garbage collection would take a third of the time of this short process, and free nothing.
    gc.disable()
    # So that any path and message can be printed.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command()
        sys.stdout.flush()
        return code
    except (CannotBecome, StartupError) as e:
        why = str(e)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has closed the pipe. Python would report that once more when it flushes the stream at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_LOOKED
    finally:
        gc.freeze()
    return not_looked(why, as_json)


if __name__ == "__main__":
    main()
