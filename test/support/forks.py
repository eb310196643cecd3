"""Runs the wheel's command, or a script, for each line on standard input, in a process that has imported Synapse.

A line is `{"args": [...], "script": ..., "folder": ..., "out": ..., "err": ...}`; without a script, it is the command.
"""

import gc
import json
import os
import signal
import sys
from typing import Any

import synapse_module_bridge.command.check
import synapse_module_bridge.command.mode  # noqa: F401 # all that the command may import
from synapse_module_bridge.__main__ import main

MOST_SECONDS = 60


def run(asked: dict[str, Any]) -> None:
    signal.alarm(MOST_SECONDS)
    os.chdir(asked["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv[1:] = asked["args"]
    if asked["script"] is None:
        main()
    else:
        exec(asked["script"], {"__name__": "__main__"})


# A process that ends need not look at what is there for all.
gc.freeze()
# A forked process ends as any other: by falling off the end.
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
        break
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
