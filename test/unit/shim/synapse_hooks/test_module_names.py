"""Two bridges of one homeserver may not have modules of one name; those of two homeservers may."""

import pytest
from fake_synapse import Api
from synapse_module_bridge.schema.startup_problems import StartupProblem, StartupProblems
from synapse_module_bridge.synapse_hooks.module_names import claim_names


def test_a_name_is_taken_once_for_each_homeserver() -> None:
    api, other = Api(), Api()
    claim_names(api, ["a", "b"])  # type: ignore[arg-type]
    claim_names(other, ["a"])  # type: ignore[arg-type]
    with pytest.raises(StartupProblems) as raised:
        claim_names(api, ["c", "b"])  # type: ignore[arg-type]
    [fault] = raised.value.faults
    assert isinstance(fault, StartupProblem)
    assert fault.path == ("modules", 1, "name")
    assert "is called b already" in fault.message
