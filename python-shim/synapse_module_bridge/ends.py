"""Why a host ended: in words, and as one of the few that a metric's label may be."""

import signal

# How the causes begin that are told in words of their own.
_KINDS = (
    "an error was not caught",
    "a rejected promise was not handled",
    "event loop blocked",
    "it broke the stream",
    "it did not answer",
    "out of memory",
)


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
        return cause
    return next((kind for kind in _KINDS if cause.startswith(kind)), "other")
