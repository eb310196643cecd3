"""Builds the routing table from the modules' declarations: by callback, the entries that are asked, in order."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synapse.config._base import Config as SynapseConfig

from synapse_module_bridge.codec.match import compile_match
from synapse_module_bridge.codec.template import compile_template
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.resilience.circuit_breaker import CircuitBreaker
from synapse_module_bridge.routing.entry import Entry, Login
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.routing.zeros import begin
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback
from synapse_module_bridge.telemetry import metrics


class RoutingTable:
    """`is_local` decides `local` in a `match`. `server_name` is a label of metrics."""

    def __init__(self, is_local: Locality, server_name: str) -> None:
        self._is_local = is_local
        self._server_name = server_name

    def of(self, modules: Sequence[tuple[Mapping[str, Any], bool]]) -> Mapping[str, Sequence[Entry]]:
        """The entries by callback. `modules` has the host's declarations, and whether each is of a shadow module."""
        entries: dict[str, list[Entry]] = {name: [] for name in CALLBACKS}
        for module, shadow in modules:
            for name, declared in module["callbacks"].items():
                entries[name] += self._of_one(CALLBACKS[name], module["name"], declared, shadow)
        return entries

    def begin_counts(self, table: Mapping[str, Sequence[Entry]]) -> None:
        """Lets what may be counted in the present modes begin at 0."""
        for name, entries in table.items():
            for entry in entries:
                begin(CALLBACKS[name], entry.module, self._server_name, shadow=entry.shadow)

    def _of_one(self, callback: Callback, module: str, declared: Mapping[str, Any], shadow: bool) -> Iterator[Entry]:
        # A new one, since the code may be new.
        breaker = CircuitBreaker(f"{callback.name} of {module}", time.monotonic)
        if not callback.listed:
            yield self._entry(callback, module, declared, shadow, breaker)
            return
        for index, checker in enumerate(declared["checkers"]):
            login = (checker["login_type"], tuple(checker["fields"]))
            yield self._entry(callback, module, {"match": checker.get("match", {})}, shadow, breaker, index, login)

    def _entry(
        self,
        callback: Callback,
        module: str,
        declared: Mapping[str, Any],
        shadow: bool,
        breaker: CircuitBreaker,
        index: int | None = None,
        login: Login | None = None,
    ) -> Entry:
        return Entry(
            module=module,
            matches=compile_match(callback, declared.get("match", {}), lambda params: self._is_local(callback, params)),
            room_state=[(event_type, state_key) for event_type, state_key in declared.get("room_state", [])],
            breaker=breaker,
            count=begin(callback, module, self._server_name, shadow=shadow),
            shadow=shadow,
            index=index,
            login=login,
            template=compile_template(callback, declared["fields"]) if "fields" in declared else None,
            answer_cache=self._answer_cache(callback, module, declared["ttl"]) if "ttl" in declared else None,
        )

    def _answer_cache(self, callback: Callback, module: str, ttl: Any) -> AnswerCache:
        hits = metrics.REMEMBERED.labels(callback.name, module, self._server_name)
        return AnswerCache(SynapseConfig.parse_duration(ttl) / 1000, time.monotonic, hits.inc)
