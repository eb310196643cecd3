"""Leaves the log context of who runs now: what Synapse's PreserveLoggingContext does, for what each call passes.

Synapse's makes up a random name for each use, to log it, and costs several times as much.
"""

from synapse.logging.context import SENTINEL_CONTEXT, LoggingContextOrSentinel, set_current_context


class SentinelContext:
    """`with SentinelContext():` others may run; then the context is what it was."""

    __slots__ = ("_before",)
    _before: LoggingContextOrSentinel

    def __enter__(self) -> None:
        self._before = set_current_context(SENTINEL_CONTEXT)

    def __exit__(self, *_: object) -> None:
        set_current_context(self._before)
