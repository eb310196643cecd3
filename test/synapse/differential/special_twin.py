"""The scripted policy for logins, background updates and unsigned fields: the yardstick for special-*.ts."""

import copy
import json
from typing import Any

from policy_twin import PolicyTwin
from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.storage.background_updates import _BackgroundUpdateContextManager
from twin_json import event_json
from twin_script import apply, thrown

Json = Any


class SpecialTwin(PolicyTwin):
    def __init__(self, config: Json, api: ModuleApi) -> None:
        self.config = config
        self.api = api
        api.register_password_auth_provider_callbacks(
            auth_checkers={
                ("m.login.password", ("password",)): self.auth_checkers,
                ("org.example.token", ("token", "device")): self.auth_checkers,
                ("org.example.nothing", ()): self.auth_checkers,
            },
            check_3pid_auth=self.check_3pid_auth,
        )
        third = config["name"] == "third"
        api.register_add_extra_fields_to_unsigned_client_event_callbacks(
            add_field_to_unsigned_callback=self.template if third else self.add_field_to_unsigned_callback
        )
        if config["name"] == "first":
            api.register_background_update_controller_callbacks(
                on_update=lambda *args: Update(self, *args),
                default_batch_size=self.default_batch_size,
                min_batch_size=self.min_batch_size,
            )

    def answer(self, callback: str, params: Json) -> Any:
        given = self.decide(callback, params)
        return None if given is NOT_SPAM else given

    def later(self, callback: str) -> Json:
        with open(self.config["script"], encoding="utf-8") as file:
            return json.load(file).get(self.config["name"], {}).get(callback, {}).get("later")

    def run(self, callback: str, later: Json, response: Json = None) -> None:
        params = {} if response is None else {"login_response": copy.deepcopy(response)}
        record = {"module": self.config["name"], "callback": f"after {callback}", "params": params}
        with open(self.config["log"], "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        apply(response, later.get("edit", []))
        if "throw" in later:
            raise thrown(later["throw"])

    def authenticated(self, callback: str, params: Json) -> Any:
        user_id = self.answer(callback, params)
        later = self.later(callback)

        async def after(response: Json) -> None:
            self.run(callback, later, response)

        # A string alone is TypeScript's form of the pair.
        return (user_id, None if later is None else after) if isinstance(user_id, str) else user_id

    async def auth_checkers(self, username: str, login_type: str, login_dict: Json) -> Any:
        params = {"username": username, "login_type": login_type, "login_dict": login_dict}
        return self.authenticated("auth_checkers", params)

    async def check_3pid_auth(self, medium: str, address: str, password: str) -> Any:
        return self.authenticated("check_3pid_auth", {"medium": medium, "address": address, "password": password})

    async def add_field_to_unsigned_callback(self, event: Any) -> Any:
        if event.type != "m.room.message":
            return {}
        fields = self.answer("add_field_to_unsigned_callback", {"event": event_json(event)})
        return {} if fields is None else fields

    async def template(self, event: Any) -> Any:
        if event.type != "org.example.note" or event.content.get("quiet") is True:
            return {}
        fields = {"by": event.sender, "list": ["always"]}
        if "number" in event.content:
            fields["number"] = event.content["number"]
        if isinstance(event.content.get("nested"), dict) and "dotted.key" in event.content["nested"]:
            fields["text"] = event.content["nested"]["dotted.key"]
        if "list" in event.content:
            fields["list"].append(event.content["list"])
        fields["list"] += [None, 1.5]
        return {"org.example.third": fields}

    async def default_batch_size(self, update_name: str, database_name: str) -> Any:
        params = {"update_name": update_name, "database_name": database_name}
        # Null is TypeScript's way to say what Synapse itself would.
        return self.answer("default_batch_size", params) or 100

    async def min_batch_size(self, update_name: str, database_name: str) -> Any:
        params = {"update_name": update_name, "database_name": database_name}
        return self.answer("min_batch_size", params) or 1


class Update:
    def __init__(self, twin: SpecialTwin, update_name: str, database_name: str, one_shot: bool) -> None:
        self.twin = twin
        self.params = {"update_name": update_name, "database_name": database_name, "one_shot": one_shot}

    async def __aenter__(self) -> Any:
        duration = self.twin.answer("on_update", self.params)
        self.later = self.twin.later("on_update")
        own = _BackgroundUpdateContextManager(False, None, 0, 100)  # type: ignore[arg-type] # it does not sleep
        return await own.__aenter__() if duration is None else duration

    async def __aexit__(self, *_: Any) -> None:
        if self.later is not None:
            self.twin.run("on_update", self.later)
