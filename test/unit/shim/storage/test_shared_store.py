"""The store does what that of the authors' kit does, by cases that both read."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from store_api import StoreApi
from synapse_module_bridge.storage import store as store_module
from synapse_module_bridge.storage.store import Store

SHARED = json.loads((Path(__file__).parents[2] / "store-cases.json").read_text())["cases"]


def spelled_out(value: Any) -> Any:
    """The value with `x*3` as `xxx`."""
    if isinstance(value, str) and (found := re.fullmatch(r"(.)\*(\d+)", value)):
        return found[1] * int(found[2])
    if isinstance(value, dict):
        return {key: spelled_out(one) for key, one in value.items()}
    return [spelled_out(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("steps", SHARED.values(), ids=SHARED.keys())
def test_a_case(steps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(StoreApi(background=False))  # type: ignore[arg-type]
    now = 0
    monkeypatch.setattr(store_module, "_now", lambda: now)
    for step in steps:
        now += step.get("after_ms", 0)
        ask = getattr(store, step["method"])
        params = spelled_out(step["params"])
        if "error" in step:
            with pytest.raises(ValueError, match=re.escape(step["error"])):
                asyncio.run(ask("module", params))
        else:
            assert asyncio.run(ask("module", params)) == step["answer"]
        assert asyncio.run(store.list("other", {})) == []
