"""Becomes a program that ends with the process that started it, however that one dies (Linux; elsewhere it just runs).

Arguments: the parent's process id, the name of the signal that ends the program, the id of the user to run it as (or -
for the same), then the program and its arguments.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

parent, ending, user, *command = sys.argv[1:]
# Now: another user may not be able to read Python's files.
libc = ctypes.CDLL(None)
if user != "-":
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
if sys.platform == "linux":
    # Not before: changing the user takes it back.
    libc.prctl(PR_SET_PDEATHSIG, signal.Signals[ending])
    if os.getppid() != int(parent):
        sys.exit(1)
os.execv(command[0], command)
