"""Why a host ended: in words, and as one of the few that a metric's label may be."""

import signal

from synapse_module_bridge.schema.protocol import CAUSES

# What the host says where it ends for threads that it cannot end.
HELD = CAUSES["held"]

# By somebody else.
_FROM_OUTSIDE = ("killed by SIGKILL", "killed by SIGTERM", "killed by SIGHUP", "killed by SIGINT")
# What only the main thread can do, or what is done to the whole process.
_OF_THE_MAIN_THREAD = (CAUSES["blocked"], CAUSES["silent"])


def is_of_no_call(cause: str) -> bool:
    """Not of what it was asked when it ended: of somebody else's doing, or of what came long before."""
    return cause in _FROM_OUTSIDE or kind_of_end(cause) == HELD


def may_be_of_a_thread(cause: str) -> bool:
    """Whether what ran in a thread may have ended all of Node so."""
    return not is_of_no_call(cause) and kind_of_end(cause) not in _OF_THE_MAIN_THREAD


def describe_exit(code: int) -> str:
    """`code` as subprocess gives it: negative for a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def kind_of_end(cause: str) -> str:
    if cause.startswith(("exit code ", "killed by ")):
        return cause.partition(" while ")[0]
    return next((words for words in CAUSES.values() if cause.startswith(words)), "other")
