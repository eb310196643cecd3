"""Implements the command `mode`: sets the mode of a module in Synapse's database, and prints the modes of all modules.

It needs no running Synapse, and no token. The processes of a running one look at the database all the time.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from synapse.config._base import ConfigError
from synapse.config.database import DatabaseConfig

from synapse_module_bridge.command.exit_codes import FAULTY, NOT_LOOKED, SOUND
from synapse_module_bridge.configuration.config import written_modes
from synapse_module_bridge.configuration.homeserver_yaml import MODULE, Homeserver, read_homeserver
from synapse_module_bridge.configuration.module_configs import Unreadable
from synapse_module_bridge.schema.modes import MODES, Mode
from synapse_module_bridge.shared.deployment import database_of
from synapse_module_bridge.shared.direct import NoDatabase, interact
from synapse_module_bridge.shared.mode_tables import Override, are_made, make, note_of, override, read, reset
from synapse_module_bridge.shared.moments import read_until
from synapse_module_bridge.storage.own_tables import Txn
from synapse_module_bridge.telemetry.log_text import one_line

RESET = "reset"
WORDS = (*MODES, RESET)
# Stands for the admin who has run the command.
BY = "command"


def mode(args: Sequence[str]) -> int:
    """Runs the command with these arguments, and returns the exit code."""
    parser = argparse.ArgumentParser(
        "synapse-module-bridge mode",
        usage="synapse-module-bridge mode FILE... [MODULE {off,shadow,enforce,reset}] [--note TEXT] [--until TIME]",
        description="Set the mode of a module, in every process within 5 s, and print the modes of all modules; "
        "without a module, only print them. The exit code is 0 if that is done, 1 if there is no such module, and 2 if "
        "the files or the database cannot be used.",
    )
    parser.add_argument("words", nargs="+", metavar="FILE", help="the files and folders that Synapse is started with")
    parser.add_argument("--note", metavar="TEXT", help="why, for the record")
    parser.add_argument("--until", metavar="TIME", help="when the mode ends by itself: a duration such as 2h")
    given = parser.parse_args(args)
    paths, module, word = list(given.words), None, None
    if paths[-1] in WORDS:
        if len(paths) < 3:
            parser.error(f"{paths[-1]} is a mode: give the files, the module and the mode, in this order")
        *paths, module, word = paths
    elif given.note is not None or given.until is not None:
        parser.error(f"say which mode, after the module: {', '.join(WORDS)}")
    if word is None and len(paths) > 2 and not os.path.exists(paths[-1]) and not os.path.exists(paths[-2]):
        parser.error(f"there is no mode {paths[-1]}: give one of {', '.join(WORDS)}")
    now = int(time.time() * 1000)
    try:
        until = None if given.until is None else read_until(given.until, now)
        note = note_of(given.note)
    except ValueError as e:
        parser.error(str(e))
    if until is not None and word == RESET:
        parser.error("--until goes with a mode")
    try:
        homeserver = read_homeserver(paths)
        yaml = _yaml_modes(homeserver)
        database = _database(homeserver.settings)
        if module is not None and module not in yaml:
            print(f"there is no module {module}: homeserver.yaml has {', '.join(yaml)}", file=sys.stderr)
            return FAULTY
        wanted = (
            None if word in (None, RESET) else Override(mode=cast(Mode, word), by=BY, ts=now, until=until, note=note)
        )

        def change(txn: Txn, postgres: bool) -> Mapping[str, Override]:
            if module is None:
                return read(txn).overrides if are_made(txn, postgres) else {}
            make(txn)
            if wanted is None:
                reset(txn, module, yaml[module], BY, now, note)
            else:
                override(txn, module, wanted, yaml[module])
            return read(txn).overrides

        overrides = interact(database, change)
    except (Unreadable, NoDatabase) as e:
        print(e, file=sys.stderr)
        return NOT_LOOKED
    for line in _described(yaml, overrides, now):
        print(line)
    return SOUND


def _yaml_modes(homeserver: Homeserver) -> Mapping[str, Mode]:
    """The modes of homeserver.yaml. Also where something else is wrong with it. Raises Unreadable."""
    blocks = [block for _, block in homeserver.blocks()]
    if not blocks:
        raise Unreadable(f"no module in {', '.join(homeserver.files)} is {MODULE}: {homeserver.why_no_blocks()}")
    return {name: mode for block in blocks for name, mode in written_modes(block).items()}


def _database(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    config = DatabaseConfig(None)
    try:
        config.read_config({key: settings[key] for key in settings if key.startswith("database")})
    except ConfigError as e:
        raise Unreadable(str(e)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        # Synapse does not look whether a value is of the type that it takes.
        raise Unreadable(f"Synapse cannot read `database` of homeserver.yaml: {type(e).__name__}: {e}") from None
    if not config.databases:
        raise Unreadable("homeserver.yaml has no database")
    return database_of(config)


def _described(yaml: Mapping[str, Mode], overrides: Mapping[str, Override], now: int) -> list[str]:
    width = max(map(len, yaml), default=0)
    lines = []
    for name, yaml_mode in yaml.items():
        override = overrides.get(name)
        if override is None or not override.lasts(now):
            lines.append(f"{name:{width}}  {yaml_mode:7}  as in homeserver.yaml")
            continue
        said = f"set by {one_line(override.by)} {override.when_and_why()}"
        lines.append(f"{name:{width}}  {override.mode:7}  {said} (homeserver.yaml: {yaml_mode})")
    lines += [f"{name}: a mode is set, but homeserver.yaml does not have it" for name in overrides if name not in yaml]
    return lines
