"""Reads the limits of the admin API from `schemas/admin.json`."""

from collections.abc import Mapping

from synapse_module_bridge.schema.installed import read_schema

_declared = read_schema("admin.json")

ADMIN_LIMITS: Mapping[str, int] = {name: limit["value"] for name, limit in _declared["limits"].items()}
