"""Keeps what all bridges of one homeserver.yaml share: a Python object for each homeserver of this process.

Synapse makes one `ModuleApi` for all modules of a homeserver, and a process of tests has several homeservers.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from synapse.module_api import ModuleApi

T = TypeVar("T")


class PerHomeserver(Generic[T]):
    """The objects go with their homeservers."""

    def __init__(self) -> None:
        self._objects: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def of(self, api: ModuleApi, make: Callable[[], T]) -> T:
        """That of the api's homeserver. The first time, it is made."""
        homeserver: Any = api._hs
        found = self._objects.get(homeserver)
        if found is None:
            found = self._objects[homeserver] = make()
        return found
