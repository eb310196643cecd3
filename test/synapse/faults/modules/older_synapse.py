"""A Synapse module that makes this Synapse look like an older one, which lacks a callback."""

from typing import Any

from synapse.module_api import ModuleApi


class OlderSynapse:
    def __init__(self, config: dict[str, Any], api: ModuleApi) -> None:
        def register_spam_checker_callbacks(*, check_event_for_spam: Any = None) -> None:
            ModuleApi.register_spam_checker_callbacks(api, check_event_for_spam=check_event_for_spam)

        api.register_spam_checker_callbacks = register_spam_checker_callbacks  # type: ignore[method-assign,assignment]
