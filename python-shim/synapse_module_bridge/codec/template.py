"""Fills in a template of fields for an event's `unsigned`, so that `add_field_to_unsigned_callback` needs no call.

`{"$event": "<path>"}` stands for the value at that path of the event, and is left out where there is none.
"""

from collections.abc import Callable, Mapping
from typing import Any

from synapse_module_bridge.codec.match import MISSING, lookup, resolve_path
from synapse_module_bridge.schema.catalogue import Callback

REFERENCE = "$event"

# Gets the callback's parameters by name, and returns the fields.
Template = Callable[[Mapping[str, Any]], Any]


def compile_template(callback: Callback, template: Any) -> Template:
    """A function that fills in the template, whose shape the host has checked."""
    if isinstance(template, Mapping):
        if REFERENCE in template:
            path = resolve_path(callback, template[REFERENCE])
            return lambda params: _plain(lookup(params, path))
        fields = {name: compile_template(callback, value) for name, value in template.items()}
        return lambda params: {name: value for name, fill in fields.items() if (value := fill(params)) is not MISSING}
    if isinstance(template, list):
        items = [compile_template(callback, item) for item in template]
        return lambda params: [value for fill in items if (value := fill(params)) is not MISSING]
    return lambda _: template


def _plain(value: Any) -> Any:
    """The value, or MISSING where it is not JSON: a path may also lead to an attribute of a Python object."""
    return value if value is None or isinstance(value, str | int | float | list | tuple | Mapping) else MISSING
