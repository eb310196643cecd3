"""The shim's own rules, by JSON: for cases that both languages share, and for property tests of the kit's rules.

As a program, it reads a list of cases (a rule and its arguments) from standard input, and prints the results.
"""

import json
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from objects import event
from synapse.media._base import FileInfo
from synapse.types import RoomAlias, UserID, create_requester
from synapse_module_bridge.calls.decision import summarise
from synapse_module_bridge.codec.match import MISSING, compile_match
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.codec.template import compile_template
from synapse_module_bridge.resilience.answer_cache import AnswerCache, question_of
from synapse_module_bridge.routing.entry import bind, encode_params
from synapse_module_bridge.routing.locality import Locality
from synapse_module_bridge.schema.catalogue import CALLBACKS, Callback

IS_LOCAL = Locality(SimpleNamespace(server_name="test"))  # type: ignore[arg-type] # its name is all that is asked of it


def _of_synapse(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "Event":
        return event(**value)
    if kind == "StateEvents":
        return {(one["type"], one["state_key"]): event(**one) for one in value}
    if kind == "RoomAlias":
        return RoomAlias.from_string(value)
    if kind == "Requester":
        return create_requester(UserID.from_string(value))
    if kind == "FileWrapper":
        return SimpleNamespace(path=value)
    return FileInfo(**value) if kind == "FileInfo" else value


def params_of(callback: Callback, given: Mapping[str, Any]) -> dict[str, Any]:
    """Synapse's arguments by name, from JSON: an event is its PDU, a requester its user id."""
    kinds = {param.name: param.type.rstrip("?") for param in callback.params}
    return bind(callback, [_of_synapse(kind, given.get(name)) for name, kind in kinds.items()])


def wire(callback: Callback, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the host would get."""
    encoded = encode_params(callback, params, [])
    return json.loads(json.dumps(encoded, default=dict))  # type: ignore[no-any-return] # it is an object


def match(name: str, declared: Any, given: Any) -> Any:
    callback = CALLBACKS[name]
    params = params_of(callback, given)
    matches = compile_match(callback, declared, lambda params: IS_LOCAL(callback, params))
    return {"result": matches is None or matches(params), "params": wire(callback, params)}


def template(declared: Any, pdu: Any) -> Any:
    callback = CALLBACKS["add_field_to_unsigned_callback"]
    params = params_of(callback, {"event": pdu})
    filled = compile_template(callback, declared)(params)
    return {"result": None if filled is MISSING else filled, "params": wire(callback, params)}


def same(name: str, one: Any, other: Any) -> Any:
    callback = CALLBACKS[name]
    both = [params_of(callback, given) for given in (one, other)]
    first, second = (question_of(callback, params, b"x") for params in both)
    return {"result": first == second, "params": [wire(callback, params) for params in both]}


def cache(ttl: float, steps: Any) -> Any:
    """For each step (a time, a question, an answer), what is answered, and whether that was kept."""
    now, hits, results = 0.0, 0, []

    def hit() -> None:
        nonlocal hits
        hits += 1

    kept = AnswerCache(ttl, lambda: now, hit)
    for at, question, answer in steps:
        now, before = at, hits

        async def ask(answer: Any = answer) -> Reply:
            return Reply(answer, None)

        coroutine = kept.ask(question.encode(), ask, None)  # type: ignore[arg-type] # nothing is asked at the same time
        try:
            coroutine.send(None)
        except StopIteration as e:
            results.append([e.value.answer, hits > before])
    return {"result": results}


def outcome(name: str, answer: Any, decided: bool) -> Any:
    return {"result": summarise(CALLBACKS[name], answer, decided=decided)[0]}


RULES: Mapping[str, Callable[..., Any]] = {
    "match": match,
    "template": template,
    "same": same,
    "cache": cache,
    "outcome": outcome,
}

if __name__ == "__main__":
    print(json.dumps([RULES[rule](*arguments) for rule, *arguments in json.load(sys.stdin)]))
