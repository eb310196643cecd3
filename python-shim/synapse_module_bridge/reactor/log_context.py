"""Leaves the current log context and restores it: a cheaper `synapse.logging.context.PreserveLoggingContext`.

Synapse's makes a random id for each use and logs it, which costs several times as much. Each call comes through here.
"""

from synapse.logging.context import SENTINEL_CONTEXT, LoggingContextOrSentinel, set_current_context


class SentinelContext:
    """`with SentinelContext():` runs its block in Synapse's sentinel context, as code of the reactor does."""

    __slots__ = ("_before",)
    _before: LoggingContextOrSentinel

    def __enter__(self) -> None:
        self._before = set_current_context(SENTINEL_CONTEXT)

    def __exit__(self, *_: object) -> None:
        set_current_context(self._before)
