"""Holds back further calls of a suspect's author until the suspect is settled, since each may end the next Node.

They are held back only from the modules that the suspect was sent to.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from synapse.logging.context import PreserveLoggingContext
from twisted.internet.defer import Deferred

from synapse_module_bridge.calls.call import Call

# A callback, an author, a module.
_Key = tuple[str, str, str]


class Gate:
    """For all suspects of one bridge."""

    def __init__(self) -> None:
        # How many suspects with this key are not settled yet, and what waits for that.
        self._closed: dict[_Key, tuple[int, list[Deferred[None]]]] = {}

    @contextmanager
    def closed(self, call: Call, modules: Iterable[str]) -> Iterator[None]:
        """Closes the gate for the author of this call within the block, in which it is being settled."""
        with ExitStack() as closed:
            for key in _keys(call, modules):
                closed.enter_context(self._one(key))
            yield

    @contextmanager
    def _one(self, key: _Key) -> Iterator[None]:
        suspects, waiting = self._closed.get(key, (0, []))
        self._closed[key] = suspects + 1, waiting
        try:
            yield
        finally:
            suspects, waiting = self._closed[key]
            if suspects > 1:
                self._closed[key] = suspects - 1, waiting
            else:
                del self._closed[key]
                _let_in(waiting)

    def holds(self, call: Call, modules: Iterable[str]) -> bool:
        """Whether this call is held back from any of these modules."""
        return bool(self._closed) and any(key in self._closed for key in _keys(call, modules))

    def let_in(self, call: Call, modules: Iterable[str]) -> None:
        """Lets those in that wait now; the others go on to wait."""
        for key in _keys(call, modules):
            suspects, waiting = self._closed.get(key, (0, []))
            if suspects:
                self._closed[key] = suspects, []
                _let_in(waiting)

    def until_open(self, call: Call, modules: Iterable[str]) -> "Deferred[None]":
        """Fires once a suspect that holds this call back is settled; at once where none does. May be cancelled."""
        waiting: Deferred[None] = Deferred()
        key = next((key for key in _keys(call, modules) if key in self._closed), None)
        if key is None:
            waiting.callback(None)
        else:
            self._closed[key][1].append(waiting)
        return waiting


def _let_in(waiting: "list[Deferred[None]]") -> None:
    with PreserveLoggingContext():
        for one in waiting:
            if not one.called:
                one.callback(None)


def _keys(call: Call, modules: Iterable[str]) -> list[_Key]:
    author = call.author
    return [] if author is None else [(call.callback.name, author, module) for module in modules]
