"""Becomes a program that ends with the process that started it, however that one dies (Linux; elsewhere it just runs).

Arguments: the parent's process id, the name of the signal that ends the program, the id of the user to run it as (or -
for the same), then the program and its arguments.
"""

import os
import signal
import sys

parent, ending, user, *command = sys.argv[1:]
if user != "-":
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
if sys.platform == "linux":
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.Signals[ending])
    if os.getppid() != int(parent):
        sys.exit(1)
os.execv(command[0], command)
