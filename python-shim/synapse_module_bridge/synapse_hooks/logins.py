"""Turns the follow-up of a login into the function that Synapse calls after the login has succeeded."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from synapse_module_bridge.pipeline.follow_up import FollowUp, FollowUps
from synapse_module_bridge.schema.catalogue import Callback
from synapse_module_bridge.synapse_hooks.forward import Answer

# Gets the body of the response to the login, which it may change in place.
AfterLogin = Callable[[dict[str, Any]], Awaitable[None]]


def with_follow_up(answer: Answer, follow_ups: FollowUps) -> Answer:
    """`answer`, for callbacks that authenticate: Synapse gets the user id and an AfterLogin, or None in its place."""

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
        # Synapse sends this object, so it is changed in place.
        login_response.clear()
        login_response.update(edited["login_response"])

    return after_login
