"""What a module left to be done once a login has succeeded becomes a function that Synapse calls."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synapse_module_bridge.pipeline.follow_up import FollowUp, FollowUps
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.synapse_hooks.forward import Answer

AfterLogin = Callable[[dict[str, Any]], Awaitable[None]]


def with_follow_up(answer: Answer, follow_ups: FollowUps) -> Answer:
    """For callbacks that answer with a user id and, if a module wants it, what is run after the login."""

    async def answered(callback: Callback, args: Sequence[Any]) -> Any:
        authenticated = await answer(callback, args)
        if authenticated is None:
            return None
        user_id, follow_up = authenticated
        return user_id, None if follow_up is None else _after_login(callback, follow_up, follow_ups)

    return answered


def _after_login(callback: Callback, follow_up: FollowUp, follow_ups: FollowUps) -> AfterLogin:
    async def after_login(login_response: dict[str, Any]) -> None:
        edited = await follow_ups.run(callback, follow_up, {"login_response": login_response})
        if edited is None:
            return
        # Synapse goes on with this very object.
        login_response.clear()
        login_response.update(edited["login_response"])

    return after_login
