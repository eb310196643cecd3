"""Becomes a Synapse that ends with the process that started it, however that one dies (Linux; elsewhere it just runs).

Arguments: the parent's process id, then the module to run and its arguments.
"""

import os
import signal
import sys

parent, *command = sys.argv[1:]
if sys.platform == "linux":
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit(1)
os.execv(sys.executable, [sys.executable, "-m", *command])
