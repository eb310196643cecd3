"""Describes why a host ended: in words, and as one of a few labels for a metric."""

import signal

from synapse_module_bridge.schema.protocol import CAUSES

# The host ends itself since it has threads that it cannot end.
HELD = CAUSES["held"]

# Signals that another process sends; the kernel's out-of-memory killer sends SIGKILL.
_FROM_OUTSIDE = ("killed by SIGKILL", "killed by SIGTERM", "killed by SIGHUP", "killed by SIGINT")
# Causes of the main thread, or of the whole process, as where it is stopped.
_OF_THE_MAIN_THREAD = (CAUSES["blocked"], CAUSES["silent"])

# The labels of nearly all ends, so that their counts can begin at 0.
KINDS_OF_ENDS = (*CAUSES.values(), *_FROM_OUTSIDE, "killed by SIGABRT", "killed by SIGSEGV", "exit code 1", "other")


def is_of_no_call(cause: str) -> bool:
    """Whether no open call can have ended the host: another process has, or something long ago."""
    return kind_of_end(cause) in (*_FROM_OUTSIDE, HELD)


def was_blocked(cause: str) -> bool:
    """Whether the host has read nothing for a while before its end."""
    return kind_of_end(cause) in _OF_THE_MAIN_THREAD


def may_be_of_a_thread(cause: str) -> bool:
    """Whether a module in a thread of its own may have ended the whole of Node."""
    return not is_of_no_call(cause) and not was_blocked(cause)


def describe_exit(code: int) -> str:
    """An exit code in words. As in `subprocess`, it is negative for a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def kind_of_end(cause: str) -> str:
    """The label for a cause: an exit code, a signal, one of CAUSES, or `other`."""
    if cause.startswith(("exit code ", "killed by ")):
        return cause.partition(" while ")[0]
    return next((words for words in CAUSES.values() if cause.startswith(words)), "other")
