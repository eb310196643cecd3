"""The scripted policy as an ordinary Python module of Synapse: the yardstick for policy.ts, which does the same."""

import base64
import copy
import json
from typing import Any

from synapse.module_api import NOT_SPAM, EventBase, ModuleApi
from twin_accounts import AccountCallbacks
from twin_json import event_json, file_info_json, plain, requester_json
from twin_offered import ABSENT, given, register_offered
from twin_script import PASS, answered, apply, field, thrown

Json = Any


class PolicyTwin(AccountCallbacks):
    def __init__(self, config: Json, api: ModuleApi) -> None:
        self.config = config
        self.register_account_callbacks(api)
        register_offered(
            api,
            "spam_checker",
            check_event_for_spam=self.check_event_for_spam,
            should_drop_federated_event=self.should_drop_federated_event,
            user_may_join_room=self.user_may_join_room,
            user_may_invite=self.user_may_invite,
            federated_user_may_invite=self.federated_user_may_invite,
            user_may_send_3pid_invite=self.user_may_send_3pid_invite,
            user_may_create_room=self.user_may_create_room,
            user_may_create_room_alias=self.user_may_create_room_alias,
            user_may_publish_room=self.user_may_publish_room,
            user_may_send_state_event=self.user_may_send_state_event,
            check_username_for_spam=self.check_username_for_spam,
            check_registration_for_spam=self.check_registration_for_spam,
            check_media_file_for_spam=self.check_media_file_for_spam,
            check_login_for_spam=self.check_login_for_spam,
        )
        register_offered(
            api,
            "third_party_rules",
            check_event_allowed=self.check_event_allowed,
            on_create_room=self.on_create_room,
            check_threepid_can_be_invited=self.check_threepid_can_be_invited,
            check_visibility_can_be_modified=self.check_visibility_can_be_modified,
            on_new_event=self.on_new_event,
            check_can_shutdown_room=self.check_can_shutdown_room,
            check_can_deactivate_user=self.check_can_deactivate_user,
            on_profile_update=self.on_profile_update,
            on_user_deactivation_status_changed=self.on_user_deactivation_status_changed,
            on_threepid_bind=self.on_threepid_bind,
            on_add_user_third_party_identifier=self.on_add_user_third_party_identifier,
            on_remove_user_third_party_identifier=self.on_remove_user_third_party_identifier,
        )

    def decide(
        self,
        callback: str,
        params: Json,
        state: Json | None = None,
        event: EventBase | None = None,
        edit: Json = None,
        states: Any = None,
    ) -> Any:
        with open(self.config["script"], encoding="utf-8") as file:
            action = json.load(file).get(self.config["name"], {}).get(callback)
        if action and any(field(params, path) != value for path, value in action.get("when", {}).items()):
            action = None
        look = (action or {}).get("look")
        if state is not None:
            params["state_events"] = self.looked(state, look)
        # Where a room is upgraded, Synapse has frozen parts of the body.
        record = {"module": self.config["name"], "callback": callback, "params": plain(params)}
        with open(self.config["log"], "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if action is None:
            return PASS.get(callback, NOT_SPAM)
        if "throw" in action:
            raise thrown(action["throw"])
        if "edit" in action:
            apply(edit, action["edit"])
        if "answer" in action:
            return answered(callback, action["answer"], event, states)
        return PASS.get(callback, NOT_SPAM)

    def looked(self, state: Json, look: Json) -> Json:
        """What the module finds in the state: its keys, and what the script tells it to look at."""
        seen = {"keys": sorted(state)}
        if look:
            get = [state.get(tuple(key)) for key in look["get"]]
            many = [
                event
                for (type_, state_key), event in state.items()
                if any(type_ == key[0] and key[1] in (None, state_key) for key in look["getMany"])
            ]
            seen["get"] = [event and event_json(event) for event in get]
            seen["getMany"] = self.in_order(many)
            seen["all"] = self.in_order(state.values())
        return seen

    def in_order(self, events: Any) -> Json:
        return [event_json(event) for event in sorted(events, key=lambda event: (event.type, event.state_key))]

    # The spam checker's callbacks.

    async def check_event_for_spam(self, event: EventBase) -> Any:
        return self.decide("check_event_for_spam", {"event": event_json(event)})

    async def should_drop_federated_event(self, event: EventBase) -> Any:
        return self.decide("should_drop_federated_event", {"event": event_json(event)})

    async def user_may_join_room(self, user: str, room: str, is_invited: bool) -> Any:
        return self.decide("user_may_join_room", {"user": user, "room": room, "is_invited": is_invited})

    async def user_may_invite(self, inviter: str, invitee: str, room_id: str) -> Any:
        return self.decide("user_may_invite", {"inviter": inviter, "invitee": invitee, "room_id": room_id})

    async def federated_user_may_invite(self, event: EventBase) -> Any:
        return self.decide("federated_user_may_invite", {"event": event_json(event)})

    async def user_may_send_3pid_invite(self, inviter: str, medium: str, address: str, room_id: str) -> Any:
        params = {"inviter": inviter, "medium": medium, "address": address, "room_id": room_id}
        return self.decide("user_may_send_3pid_invite", params)

    async def user_may_create_room(self, user_id: str, room_config: Json = ABSENT) -> Any:
        return self.decide("user_may_create_room", given({"user_id": user_id, "room_config": room_config}))

    async def user_may_create_room_alias(self, user_id: str, room_alias: Any) -> Any:
        params = {"user_id": user_id, "room_alias": room_alias.to_string()}
        return self.decide("user_may_create_room_alias", params)

    async def user_may_publish_room(self, user_id: str, room_id: str) -> Any:
        return self.decide("user_may_publish_room", {"user_id": user_id, "room_id": room_id})

    async def user_may_send_state_event(
        self, user_id: str, room_id: str, event_type: str, state_key: str, content: Json
    ) -> Any:
        params = {
            "user_id": user_id,
            "room_id": room_id,
            "event_type": event_type,
            "state_key": state_key,
            "content": content,
        }
        return self.decide("user_may_send_state_event", params)

    async def check_username_for_spam(self, user_profile: Json, requester_id: Any = ABSENT) -> Any:
        params = given({"user_profile": dict(user_profile), "requester_id": requester_id})
        return self.decide("check_username_for_spam", params)

    async def check_registration_for_spam(
        self, email_threepid: Json, username: str | None, request_info: Any, auth_provider_id: str | None
    ) -> Any:
        params = {
            "email_threepid": email_threepid,
            "username": username,
            "request_info": [list(entry) for entry in request_info],
            "auth_provider_id": auth_provider_id,
        }
        return self.decide("check_registration_for_spam", params)

    async def check_media_file_for_spam(self, file_wrapper: Any, file_info: Any) -> Any:
        chunks: list[bytes] = []
        await file_wrapper.write_chunks_to(chunks.append)
        content = b"".join(chunks)
        with open(file_wrapper.path, "rb") as file:
            assert file.read() == content
        seen = {"path": file_wrapper.path, "content": base64.b64encode(content).decode()}
        params = {"file_wrapper": seen, "file_info": file_info_json(file_info)}
        return self.decide("check_media_file_for_spam", params)

    async def check_login_for_spam(
        self,
        user_id: str,
        device_id: str | None,
        initial_display_name: str | None,
        request_info: Any,
        auth_provider_id: str | None,
    ) -> Any:
        params = {
            "user_id": user_id,
            "device_id": device_id,
            "initial_display_name": initial_display_name,
            "request_info": [list(entry) for entry in request_info],
            "auth_provider_id": auth_provider_id,
        }
        return self.decide("check_login_for_spam", params)

    # The third-party rules' callbacks.

    async def check_event_allowed(self, event: EventBase, state_events: Json) -> Any:
        return self.decide("check_event_allowed", {"event": event_json(event)}, state_events, event)

    async def on_create_room(self, requester: Any, request_content: Json, is_requester_admin: bool) -> None:
        params = {
            "requester": requester_json(requester),
            "request_content": copy.deepcopy(request_content),
            "is_requester_admin": is_requester_admin,
        }
        self.decide("on_create_room", params, edit=request_content)

    async def check_threepid_can_be_invited(self, medium: str, address: str, state_events: Json) -> Any:
        return self.decide("check_threepid_can_be_invited", {"medium": medium, "address": address}, state_events)

    async def check_visibility_can_be_modified(self, room_id: str, state_events: Json, new_visibility: str) -> Any:
        params = {"room_id": room_id, "new_visibility": new_visibility}
        return self.decide("check_visibility_can_be_modified", params, state_events)

    async def on_new_event(self, event: EventBase, state_events: Json) -> None:
        self.decide("on_new_event", {"event": event_json(event)}, state_events)

    async def check_can_shutdown_room(self, user_id: str | None, room_id: str) -> Any:
        return self.decide("check_can_shutdown_room", {"user_id": user_id, "room_id": room_id})

    async def check_can_deactivate_user(self, user_id: str, by_admin: bool) -> Any:
        return self.decide("check_can_deactivate_user", {"user_id": user_id, "by_admin": by_admin})

    async def on_profile_update(self, user_id: str, new_profile: Any, by_admin: bool, deactivation: bool) -> None:
        profile = {"avatar_url": new_profile.avatar_url, "display_name": new_profile.display_name}
        params = {
            "user_id": user_id,
            "new_profile": profile,
            "by_admin": by_admin,
            "deactivation": deactivation,
        }
        self.decide("on_profile_update", params)

    async def on_user_deactivation_status_changed(self, user_id: str, deactivated: bool, by_admin: bool) -> None:
        params = {"user_id": user_id, "deactivated": deactivated, "by_admin": by_admin}
        self.decide("on_user_deactivation_status_changed", params)

    async def on_threepid_bind(self, user_id: str, medium: str, address: str) -> None:
        self.decide("on_threepid_bind", {"user_id": user_id, "medium": medium, "address": address})

    async def on_add_user_third_party_identifier(self, user_id: str, medium: str, address: str) -> None:
        params = {"user_id": user_id, "medium": medium, "address": address}
        self.decide("on_add_user_third_party_identifier", params)

    async def on_remove_user_third_party_identifier(self, user_id: str, medium: str, address: str) -> None:
        params = {"user_id": user_id, "medium": medium, "address": address}
        self.decide("on_remove_user_third_party_identifier", params)
