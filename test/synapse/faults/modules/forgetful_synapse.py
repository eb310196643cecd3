"""A Synapse module that makes this Synapse like a release that takes a callback and forgets it."""

from typing import Any

from synapse.module_api import ModuleApi


class ForgetfulSynapse:
    def __init__(self, config: dict[str, Any], api: ModuleApi) -> None:
        spam_checker = api._callbacks.spam_checker
        original = spam_checker.register_callbacks

        def register_callbacks(**callbacks: Any) -> None:
            original(**{**callbacks, "user_may_invite": None})

        spam_checker.register_callbacks = register_callbacks  # type: ignore[method-assign,assignment]
