"""Gives the error codes of the catalogue as members of Synapse's `Codes`: also those that came with a later Synapse.

To a client, a code is text. Synapse, however, honours only members of its enum: for other texts it answers M_FORBIDDEN.
"""

from collections.abc import Iterable

from synapse.module_api.errors import Codes

from synapse_module_bridge.schema.installed import read_schema


def later_codes(declared: Iterable[tuple[str, str]], known: type[Codes] = Codes) -> dict[str, Codes]:
    """By value, members for those of `declared`, each a name and a value, that `known` does not have."""
    values = {code.value for code in known}
    return {value: _member(known, name, value) for name, value in declared if value not in values}


def _member(codes: type[Codes], name: str, value: str) -> Codes:
    """A member that the enum itself does not list: as `enum.Flag` makes those for combinations of flags."""
    member = str.__new__(codes, value)
    member._name_, member._value_ = name, value
    return member


_LATER = later_codes((name, entry["value"]) for name, entry in read_schema("codes.json").items())


def code_of(value: str) -> Codes | None:
    """The code with this value; None if neither Synapse nor the catalogue has it."""
    try:
        return Codes(value)
    except ValueError:
        return _LATER.get(value)
