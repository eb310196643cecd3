"""A module in Python that hears of every event, and does nothing: what Synapse itself logs then is no fault of ours."""

from typing import Any

from synapse.module_api import ModuleApi


class Trivial:
    def __init__(self, config: Any, api: ModuleApi) -> None:
        api.register_third_party_rules_callbacks(on_new_event=self.on_new_event)

    async def on_new_event(self, event: Any, state_events: Any) -> None:
        return None
