"""The ModuleApi that the catalogue declares against that of the installed Synapse, both ways."""

import inspect
import json
import re
from typing import Any

import pytest
from observed import observed
from synapse.http.client import SimpleHttpClient
from synapse.module_api import AccountDataManager, ModuleApi, PublicRoomListManager
from synapse_module_bridge.schema.catalogue import METHODS
from synapse_module_bridge.schema.installed import SCHEMAS_FOLDER

API: dict[str, Any] = json.loads((SCHEMAS_FOLDER / "api.json").read_text())
GROUPS: dict[str, type] = {
    "account_data_manager": AccountDataManager,
    "http_client": SimpleHttpClient,
    "public_room_list_manager": PublicRoomListManager,
}
# Set when a ModuleApi is made, so that its class does not have them.
ATTRIBUTES = {"custom_template_dir"}
# Not those that the bridge adds, or that it has in a form of its own.
OF_SYNAPSE = [name for name, method in METHODS.items() if not method.added]


def _members(cls: type, prefix: str = "") -> set[str]:
    return {prefix + name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}


def test_every_member_of_the_module_api_is_declared_and_no_other() -> None:
    in_synapse = (_members(ModuleApi) - set(GROUPS)) | ATTRIBUTES
    for name, cls in GROUPS.items():
        in_synapse |= _members(cls, f"{name}.")
    declared = [*API["properties"], *API["methods"], *API["absent"]]
    assert len(set(declared)) == len(declared)
    assert in_synapse - set(declared) == set()
    assert set(declared) - in_synapse == {name for name, method in METHODS.items() if method.added} - in_synapse


@pytest.mark.parametrize("name", OF_SYNAPSE)
def test_each_method_has_the_parameters_of_synapse_and_no_other(name: str) -> None:
    group, _, method = name.rpartition(".")
    parameters = dict(inspect.signature(getattr(GROUPS.get(group, ModuleApi), method)).parameters)
    del parameters["self"]
    declared = {param.name: param.optional for param in METHODS[name].params}
    assert declared == {param.name: param.default is not inspect.Parameter.empty for param in parameters.values()}
    observed(46, "as in the installed Synapse", on="real Synapse", tried="the methods of the ModuleApi")


@pytest.mark.parametrize("name", OF_SYNAPSE)
def test_each_method_says_since_when_synapse_has_it(name: str) -> None:
    group, _, method = name.rpartition(".")
    text = inspect.getdoc(getattr(GROUPS.get(group, ModuleApi), method)) or ""
    told = re.search(r"Added in Synapse v([0-9.]+[0-9])", text)
    if told:
        assert METHODS[name].since == told.group(1)


@pytest.mark.parametrize("name", API["properties"])
def test_each_property_is_one_of_synapse(name: str) -> None:
    assert name in ATTRIBUTES or isinstance(inspect.getattr_static(ModuleApi, name), property)
