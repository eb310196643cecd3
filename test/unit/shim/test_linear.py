"""What a user wrote is gone through once, however it was made to cost more."""

from typing import Any, ClassVar

import pytest
from synapse_module_bridge.codec import replacement
from synapse_module_bridge.codec.merge import Unsafe, merge
from synapse_module_bridge.codec.replacement import with_surrogate
from synapse_module_bridge.codec.replies import Reply
from synapse_module_bridge.process.logs import LogRelay
from synapse_module_bridge.resilience.answer_cache import AnswerCache
from synapse_module_bridge.resilience.backpressure import MOST_FEDERATED, Backpressure
from synapse_module_bridge.resilience.fair_share import FairShare
from synapse_module_bridge.telemetry.log_text import one_line
from twisted.internet.defer import ensureDeferred

# Whole numbers that differ by it have the same hash.
MODULUS = 2**61 - 1


class Counted(int):
    """A number that counts how often it is compared."""

    compared: ClassVar[int] = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return int(self) == other

    __hash__ = int.__hash__


def test_numbers_of_one_hash_are_not_compared_each_with_each() -> None:
    base = 2**130 - 2**130 % MODULUS
    numbers = [Counted(base + step * MODULUS) for step in range(2_000)]
    assert len(set(map(hash, numbers))) == len(set(map(float, numbers))) == 1
    Counted.compared = 0
    assert merge({"numbers": numbers}, {"numbers": [1]}) == {"numbers": [1]}
    assert Counted.compared <= 3 * len(numbers)


@pytest.mark.parametrize(
    ("numbers", "moved"), [([2**60 + 1], 2**60 + 1), ([2**60 + 1] * 3, 2**60 + 1), ([2**60 + 1, 2**60 + 2], None)]
)
def test_a_number_that_has_moved_is_found_where_no_other_is_like_it(numbers: list[int], moved: int | None) -> None:
    answered = {"elsewhere": float(2**60)}
    if moved is None:
        with pytest.raises(Unsafe):
            merge({"numbers": numbers}, answered)
    else:
        assert merge({"numbers": numbers}, answered) == {"elsewhere": moved}


def test_a_long_key_is_not_looked_through_for_each_leaf_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_through = 0

    def counted(text: str) -> str:
        nonlocal looked_through
        looked_through += len(text)
        return one_line(text)

    monkeypatch.setattr(replacement, "one_line", counted)
    below = {str(number): number for number in range(3_000)}
    assert with_surrogate({"content": {"k" * 30_000: below}}) is None
    assert looked_through < 2 * 3_000 * 100
    path = with_surrogate({"content": {"k" * 30_000: {"a": "\ud800"}}})
    assert path is not None and path.startswith("content.kkk") and path.endswith("k...")


def test_a_stack_of_any_number_of_lines_is_a_record_of_few(caplog: pytest.LogCaptureFixture) -> None:
    stack = "\\n".join(str(number) for number in range(5_000))
    relay = LogRelay()
    relay.received_records(f'{{"log":{{"level":50,"msg":"x","err":{{"stack":"{stack}"}}}}}}\n'.encode())
    [line, *more] = caplog.messages[0].split("\n")
    assert line == "x" and len(more) == 101 and more[-1] == "  | ... and 4900 lines more"


def test_an_answer_of_any_depth_is_remembered() -> None:
    answer: Any = "deepest"
    for _ in range(1_800):
        answer = [answer]
    remembered = AnswerCache(60.0, lambda: 0.0, lambda: None)

    async def ask() -> Reply:
        return Reply(answer, "m")

    async def never(_: Any) -> Any:
        raise AssertionError("nobody else asks")

    given: list[Any] = []
    ensureDeferred(remembered.ask(b"question", ask, never)).addCallback(given.append)
    known = remembered.known(b"question")
    assert known is not None and given[0].module == known.module == "m"
    inner = known.answer
    while isinstance(inner, list):
        [inner] = inner
    assert inner == "deepest"


def test_a_place_in_line_costs_the_same_however_many_servers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    admits = FairShare.admits

    def counted(share: FairShare, who: str, free: int) -> bool:
        nonlocal looked
        looked += 1
        return admits(share, who, free)

    monkeypatch.setattr(FairShare, "admits", counted)
    backpressure = Backpressure()
    assert all(backpressure.enters(False, f"server{number}") for number in range(MOST_FEDERATED))
    waiting = [backpressure.line_up(False, f"other{number}") for number in range(10_000)]
    # Some give up, the last first.
    for turn in reversed(waiting[5_000:]):
        turn.addErrback(lambda _: None)
        turn.cancel()
    for number in range(MOST_FEDERATED):
        backpressure.leave(False, f"server{number}")
    for number in range(5_000):
        assert waiting[number].called
        backpressure.leave(False, f"other{number}")
    assert (backpressure.waiting, backpressure.in_flight) == (0, 0)
    assert looked <= 5 * 10_000
