"""The policy of the soak as an ordinary Python module, the same as policy.ts."""

from typing import Any

from synapse.api.errors import Codes, SynapseError
from synapse.module_api import NOT_SPAM, EventBase, ModuleApi

Json = Any


def text(content: Json, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


class SoakTwin:
    def __init__(self, config: Json, api: ModuleApi) -> None:
        api.register_spam_checker_callbacks(
            check_event_for_spam=self.check_event_for_spam,
            user_may_invite=self.user_may_invite,
            user_may_create_room=self.user_may_create_room,
            user_may_create_room_alias=self.user_may_create_room_alias,
            user_may_send_state_event=self.user_may_send_state_event,
            check_media_file_for_spam=self.check_media_file_for_spam,
            check_username_for_spam=self.check_username_for_spam,
        )
        api.register_third_party_rules_callbacks(
            check_event_allowed=self.check_event_allowed, on_create_room=self.on_create_room
        )

    async def check_event_for_spam(self, event: EventBase) -> Any:
        # As careless as many are: it may be no text.
        formatted_body = event.content.get("formatted_body")
        if formatted_body is not None and "casino" in formatted_body:
            return Codes.FORBIDDEN
        body = text(event.content, "body")
        if "buy cheap pills" in body:
            return Codes.FORBIDDEN
        if "casino" in body:
            return Codes.FORBIDDEN
        if "lottery" in body:
            return Codes.LIMIT_EXCEEDED, {"soak.word": "lottery"}
        return NOT_SPAM

    async def check_event_allowed(self, event: EventBase, state_events: Json) -> Any:
        body = text(event.content, "body")
        if "teapot" in body:
            raise SynapseError(418, "short and stout", "SOAK.TEAPOT", {"soak.brew": "tea"})
        if "card" in body:
            replacement = event.get_dict()
            replacement["content"] = {**event.content, "body": body.replace("card", "****"), "checked": True}
            return True, replacement
        if "deep" in body:
            create = state_events.get(("m.room.create", ""))
            return create is None or create.sender != event.sender, None
        rules = state_events.get(("soak.rules", ""))
        word = text(rules.content, "word") if rules else ""
        return not word or event.type == "soak.rules" or word not in body, None

    async def user_may_invite(self, inviter: str, invitee: str, room_id: str) -> Any:
        if invitee.startswith("@bad"):
            return Codes.FORBIDDEN
        if invitee.startswith("@odd"):
            return Codes.UNKNOWN, {"soak.invitee": "odd"}
        return NOT_SPAM

    async def user_may_create_room(self, user_id: str, room_config: Json) -> Any:
        if "casino" in text(room_config, "name"):
            return Codes.FORBIDDEN, {"soak.room": "casino"}
        return NOT_SPAM

    async def user_may_create_room_alias(self, user_id: str, room_alias: Any) -> Any:
        return Codes.FORBIDDEN if room_alias.to_string().startswith("#reserved") else NOT_SPAM

    async def user_may_send_state_event(
        self, user_id: str, room_id: str, event_type: str, state_key: str, content: Json
    ) -> Any:
        if event_type == "soak.locked":
            return Codes.FORBIDDEN
        if "teapot" in text(content, "body"):
            raise SynapseError(400, "no tea", "SOAK.NO_TEA")
        return NOT_SPAM

    async def on_create_room(self, requester: Any, request_content: Json, is_requester_admin: bool) -> None:
        name = text(request_content, "name")
        if "explode" in name:
            raise SynapseError(429, "not now", "SOAK.NOT_NOW", {"soak.room": name})
        request_content["topic"] = f"about {name}"

    async def check_media_file_for_spam(self, file_wrapper: Any, file_info: Any) -> Any:
        chunks: list[bytes] = []
        await file_wrapper.write_chunks_to(chunks.append)
        return Codes.FORBIDDEN if b"virus" in b"".join(chunks) else NOT_SPAM

    async def check_username_for_spam(self, user_profile: Json, requester_id: str) -> bool:
        return bool(user_profile["user_id"].startswith("@soakhidden"))
