"""Codes that came with a later Synapse than the running one: this one takes them for its own, and clients get them."""

import copy
import json
from enum import Enum
from typing import Any

import pytest
from synapse.api.errors import Codes, SynapseError, cs_error
from synapse_module_bridge.codec import codes
from synapse_module_bridge.codec.codec import decode_answer
from synapse_module_bridge.codec.codes import code_of, later_codes
from synapse_module_bridge.codec.replies import synapse_error
from synapse_module_bridge.schema.protocol import ERROR_CODES
from synapse_module_bridge.transport.rpc import RpcError


class OlderCodes(str, Enum):
    """As Synapse's own, with fewer members."""

    FORBIDDEN = "M_FORBIDDEN"
    INVITE_BLOCKED = "ORG.EXAMPLE.UNSTABLE"


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Codes:
    later = later_codes([("NEWER", "M_NEWER")])
    monkeypatch.setattr(codes, "_LATER", later)
    return later["M_NEWER"]


def test_the_installed_synapse_has_all_codes_itself() -> None:
    assert codes._LATER == {}


def test_only_values_that_synapse_lacks_are_made_members() -> None:
    older: Any = OlderCodes
    declared = [("FORBIDDEN", "M_FORBIDDEN"), ("INVITE_BLOCKED", "M_INVITE_BLOCKED"), ("NEWER", "M_NEWER")]
    later = later_codes(declared, older)
    assert list(later) == ["M_INVITE_BLOCKED", "M_NEWER"]
    assert all(isinstance(code, OlderCodes) for code in later.values())
    assert list(OlderCodes) == [OlderCodes.FORBIDDEN, OlderCodes.INVITE_BLOCKED]


def test_a_later_code_is_like_a_member(newer: Codes) -> None:
    assert isinstance(newer, Codes)
    assert (newer.name, newer.value, newer == "M_NEWER") == ("NEWER", "M_NEWER", True)
    assert repr(newer) == repr(Codes.FORBIDDEN).replace("FORBIDDEN", "NEWER")
    assert str(newer) == str(Codes.FORBIDDEN).replace("FORBIDDEN", "NEWER")
    assert {newer: 1}[copy.deepcopy(newer)] == 1
    assert json.dumps(cs_error("no", newer)) == '{"error": "no", "errcode": "M_NEWER"}'


@pytest.mark.parametrize(
    ("answer", "decoded"), [("M_NEWER", "M_NEWER"), (["M_NEWER", {"a": 1}], ("M_NEWER", {"a": 1}))]
)
@pytest.mark.parametrize("result", ["EventSpamVerdict", "SpamVerdict", "LoginVerdict", "MediaVerdict"])
def test_a_verdict_may_be_a_later_code(newer: Codes, result: str, answer: Any, decoded: Any) -> None:
    verdict = decode_answer(result, answer, {})
    assert verdict == decoded
    assert (verdict[0] if isinstance(verdict, tuple) else verdict) is newer


@pytest.mark.parametrize("errcode", ["M_NEWER", "ORG.EXAMPLE.OWN"])
def test_an_error_has_its_errcode_whatever_synapse_knows(newer: Codes, errcode: str) -> None:
    data = {"code": 403, "msg": "no", "errcode": errcode, "additional_fields": {}, "module": "m"}
    error = synapse_error(RpcError(ERROR_CODES["synapse_error"], "no", data))
    assert isinstance(error, SynapseError)
    assert error.error_dict(None) == {"errcode": errcode, "error": "no"}


def test_other_texts_are_no_codes(newer: Codes) -> None:
    assert code_of("M_NEWER") is newer
    assert code_of("M_FORBIDDEN") is Codes.FORBIDDEN
    assert code_of("some words") is None
