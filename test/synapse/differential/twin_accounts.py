"""The twin's callbacks about accounts, media, presence, registration, account data and federation."""

from typing import Any

from synapse.module_api import ModuleApi
from twin_json import fields_json, presence_json, request_json
from twin_offered import register_offered

Json = Any


class AccountCallbacks:
    config: Json

    def decide(
        self, callback: str, params: Json, state: Json = None, event: Any = None, edit: Json = None, states: Any = None
    ) -> Any:
        raise NotImplementedError

    def register_account_callbacks(self, api: ModuleApi) -> None:
        register_offered(
            api,
            "account_validity",
            is_user_expired=self.is_user_expired,
            on_user_registration=self.on_user_registration,
            on_user_login=self.on_user_login,
        )
        if self.config["name"] == "first":
            # Synapse takes one of each.
            register_offered(
                api,
                "account_validity",
                on_legacy_send_mail=self.on_legacy_send_mail,
                on_legacy_renew=self.on_legacy_renew,
                on_legacy_admin_request=self.on_legacy_admin_request,
            )
        register_offered(api, "ratelimit", get_ratelimit_override_for_user=self.get_ratelimit_override_for_user)
        register_offered(
            api,
            "media_repository",
            get_media_config_for_user=self.get_media_config_for_user,
            is_user_allowed_to_upload_media_of_size=self.is_user_allowed_to_upload_media_of_size,
            get_media_upload_limits_for_user=self.get_media_upload_limits_for_user,
            on_media_upload_limit_exceeded=self.on_media_upload_limit_exceeded,
        )
        register_offered(
            api,
            "presence_router",
            get_users_for_states=self.get_users_for_states,
            get_interested_users=self.get_interested_users,
        )
        register_offered(
            api,
            "password_auth_provider",
            on_logged_out=self.on_logged_out,
            is_3pid_allowed=self.is_3pid_allowed,
            get_username_for_registration=self.get_username_for_registration,
            get_displayname_for_registration=self.get_displayname_for_registration,
        )
        register_offered(api, "account_data", on_account_data_updated=self.on_account_data_updated)
        register_offered(api, "federation", on_event_delivered_over_federation=self.on_event_delivered_over_federation)

    async def is_user_expired(self, user_id: str) -> Any:
        return self.decide("is_user_expired", {"user_id": user_id})

    async def on_user_registration(self, user_id: str) -> None:
        self.decide("on_user_registration", {"user_id": user_id})

    async def on_user_login(self, user_id: str, auth_provider_type: str | None, auth_provider_id: str | None) -> None:
        params = {
            "user_id": user_id,
            "auth_provider_type": auth_provider_type,
            "auth_provider_id": auth_provider_id,
        }
        self.decide("on_user_login", params)

    async def on_legacy_send_mail(self, user_id: str) -> None:
        self.decide("on_legacy_send_mail", {"user_id": user_id})

    async def on_legacy_renew(self, renewal_token: str) -> Any:
        return self.decide("on_legacy_renew", {"renewal_token": renewal_token})

    async def on_legacy_admin_request(self, request: Any) -> Any:
        return self.decide("on_legacy_admin_request", {"request": request_json(request)})

    async def get_ratelimit_override_for_user(self, user: str, limiter_name: str) -> Any:
        return self.decide("get_ratelimit_override_for_user", {"user": user, "limiter_name": limiter_name})

    async def get_media_config_for_user(self, user_id: str) -> Any:
        return self.decide("get_media_config_for_user", {"user_id": user_id})

    async def is_user_allowed_to_upload_media_of_size(self, user_id: str, size: int) -> Any:
        return self.decide("is_user_allowed_to_upload_media_of_size", {"user_id": user_id, "size": size})

    async def get_media_upload_limits_for_user(self, user_id: str) -> Any:
        return self.decide("get_media_upload_limits_for_user", {"user_id": user_id})

    async def on_media_upload_limit_exceeded(
        self, user_id: str, limit: Any, sent_bytes: int, attempted_bytes: int
    ) -> None:
        params = {
            "user_id": user_id,
            "limit": fields_json(limit, "max_bytes", "time_period_ms", "info_uri", "can_upgrade"),
            "sent_bytes": sent_bytes,
            "attempted_bytes": attempted_bytes,
        }
        self.decide("on_media_upload_limit_exceeded", params)

    async def get_users_for_states(self, state_updates: Any) -> Any:
        states = list(state_updates)
        params = {"state_updates": [presence_json(state) for state in states]}
        return self.decide("get_users_for_states", params, states=states)

    async def get_interested_users(self, user_id: str) -> Any:
        return self.decide("get_interested_users", {"user_id": user_id})

    async def on_logged_out(self, user_id: str, device_id: str | None, access_token: str) -> None:
        params = {"user_id": user_id, "device_id": device_id, "access_token": access_token}
        self.decide("on_logged_out", params)

    async def is_3pid_allowed(self, medium: str, address: str, registration: bool) -> Any:
        params = {"medium": medium, "address": address, "registration": registration}
        return self.decide("is_3pid_allowed", params)

    async def get_username_for_registration(self, uia_results: Json, params: Json) -> Any:
        return self.decide("get_username_for_registration", {"uia_results": uia_results, "params": params})

    async def get_displayname_for_registration(self, uia_results: Json, params: Json) -> Any:
        return self.decide("get_displayname_for_registration", {"uia_results": uia_results, "params": params})

    async def on_account_data_updated(
        self, user_id: str, room_id: str | None, account_data_type: str, content: Json
    ) -> None:
        params = {
            "user_id": user_id,
            "room_id": room_id,
            "account_data_type": account_data_type,
            "content": dict(content),
        }
        self.decide("on_account_data_updated", params)

    async def on_event_delivered_over_federation(self, event: Any) -> None:
        delivery = {
            "server_name": event.server_name,
            "event_ids": [one.event_id for one in event.events],
            "method": event.method.value,
        }
        self.decide("on_event_delivered_over_federation", {"event": delivery})
