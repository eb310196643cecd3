"""The command `synapse-module-bridge`: checks a homeserver.yaml by itself, and leaves all else to the built host's
command, which it runs with the Node that the shim would find.
"""

import argparse
import gc
import os
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

from synapse_module_bridge.command.exit_codes import NOT_LOOKED
from synapse_module_bridge.schema.startup_problems import StartupError, StartupProblem

_MODULE = re.compile(r"\.[mc]?[jt]sx?$")


def main() -> None:
    args = sys.argv[1:]
    if args[:1] == ["check"] and (paths := _homeserver_files(args[1:])):
        sys.exit(_check(paths))
    try:
        _run_host_command(args)
    except StartupProblem as e:
        sys.exit(f"synapse-module-bridge: {e.message}")
    except StartupError as e:
        sys.exit(str(e))


def _run_host_command(args: Sequence[str]) -> NoReturn:
    # Without a host they cannot be imported.
    from synapse_module_bridge.process.node import check_version, find_node
    from synapse_module_bridge.schema.installed import HOST_FOLDER

    node = find_node(None)
    check_version(node)
    os.execv(node, [node, str(HOST_FOLDER / "cli.mjs"), *args])


def _homeserver_files(args: Sequence[str]) -> Sequence[str]:
    """Empty where modules by themselves are to be checked. Exits where the arguments are wrong."""
    parser = argparse.ArgumentParser(
        "synapse-module-bridge check",
        description="Tell what is wrong with a configuration or with modules, and who is asked about what. "
        "The exit code is 0 where nothing is wrong, 1 where something is, 2 where it cannot be told.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        help="the files and folders that Synapse is started with (homeserver.yaml, conf.d), or modules",
    )
    parser.add_argument("--config", metavar="FILE", help="the config of a module that is checked by itself")
    known = parser.parse_args(args)
    modules = [path for path in known.paths if _is_module(path)]
    if 0 < len(modules) < len(known.paths):
        parser.error(f"check either modules ({', '.join(modules)}) or the files of homeserver.yaml, not both at once")
    if known.config is not None and not modules:
        parser.error(
            "--config goes with one module; in homeserver.yaml, a module's config stands beside its path, as `config` "
            "or `config_file`"
        )
    return () if modules else known.paths


def _is_module(path: str) -> bool:
    return _MODULE.search(path) is not None or os.path.exists(os.path.join(path, "package.json"))


def _check(paths: Sequence[str]) -> int:
    # Its life is short, and nothing of Synapse is garbage: to look would take a third of it, also at its end.
    gc.disable()
    try:
        # It needs Synapse, whose import takes a second, and the host.
        from synapse_module_bridge.command.check import check

        # Whatever is in a path or a message can be told.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        code = check(paths)
        sys.stdout.flush()
        return code
    except StartupError as e:
        print(e, file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who reads has enough; Python would tell once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        gc.freeze()
    return NOT_LOOKED


if __name__ == "__main__":
    main()
