"""The catalogue against the installed Synapse, both ways."""

import inspect

from observed import observed
from synapse.api.errors import Codes
from synapse.module_api import ModuleApi
from synapse_module_bridge.codec.codec import DECODE, DECODE_PARAM, ENCODE
from synapse_module_bridge.schema.catalogue import CALLBACKS, TYPES
from synapse_module_bridge.schema.installed import read_schema
from synapse_module_bridge.synapse_hooks.synapse_api import available_callbacks, register_method

# Registration methods that take something else than callbacks.
NOT_FOR_CALLBACKS = {"register_cached_function", "register_device", "register_user", "register_web_resource"}


def test_the_catalogue_declares_every_callback_that_synapse_takes_and_no_other() -> None:
    declared: dict[str, set[str]] = {}
    for callback in CALLBACKS.values():
        declared.setdefault(register_method(callback.category), set()).add(callback.name)
    in_synapse = {
        name: set(inspect.signature(method).parameters) - {"self"}
        for name, method in inspect.getmembers(ModuleApi, inspect.isfunction)
        if name.startswith("register_") and name not in NOT_FOR_CALLBACKS
    }
    assert declared == in_synapse
    observed(46, f"{len(CALLBACKS)} callbacks, as in the installed Synapse", on="real Synapse")


def test_the_shim_sees_the_same_callbacks_in_the_running_synapse() -> None:
    available = available_callbacks(ModuleApi)
    assert all(name in available[callback.category] for name, callback in CALLBACKS.items())


def test_the_catalogue_declares_every_error_code_of_synapse_and_no_other() -> None:
    declared = read_schema("codes.json")
    assert {name: entry["value"] for name, entry in declared.items()} == {code.name: code.value for code in Codes}


def test_each_codec_is_for_a_declared_type() -> None:
    assert set(ENCODE) <= set(TYPES)
    assert set(DECODE) <= set(TYPES)
    assert set(DECODE_PARAM) <= set(TYPES)
