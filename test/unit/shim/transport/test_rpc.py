"""The JSON-RPC connection, over two ends in memory."""

import math
from typing import Any

import pytest
from synapse_module_bridge.transport.framing import BrokenStream, FrameReader, decode, encode
from synapse_module_bridge.transport.rpc import MOST_UNREADABLE, ConnectionGone, Refuse, Respond, Rpc, RpcError
from turning import outcome
from twisted.internet.defer import CancelledError


class End:
    """One end of a connection, with all that it has sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.writes = 0
        self.asked: list[tuple[str, Any]] = []
        self._frames = FrameReader()
        self.rpc = Rpc(self._written, self._asked)

    def _written(self, data: bytes) -> None:
        self.writes += 1
        self.sent += [decode(body) for body in self._frames.feed(data)]

    def _asked(self, method: str, params: Any, answer: Respond, refuse: Refuse) -> None:
        self.asked.append((method, params))
        if method == "refuse":
            refuse(RpcError(-32001, "no", {"module": "m"}))
        else:
            answer({"echo": params})

    def receive(self, **message: Any) -> None:
        self.rpc.data_received(encode({"jsonrpc": "2.0", **message}))


def test_answers_find_their_requests_in_any_order() -> None:
    end = End()
    first, second = end.rpc.request("a", {"x": 1}), end.rpc.request("b", {})
    assert [(sent["method"], sent["params"]) for sent in end.sent] == [("a", {"x": 1}), ("b", {})]
    end.receive(id=end.sent[1]["id"], result="two")
    end.receive(id=end.sent[0]["id"], result=None)
    assert (outcome(first), outcome(second)) == (None, "two")


def test_an_error_keeps_its_code_message_and_data() -> None:
    end = End()
    asking = end.rpc.request("a", {})
    end.receive(id=end.sent[0]["id"], error={"code": -32002, "message": "fault", "data": {"module": "m"}})
    error = outcome(asking)
    assert isinstance(error, RpcError)
    assert (error.code, error.message, error.data) == (-32002, "fault", {"module": "m"})


@pytest.mark.parametrize("error", [{}, {"code": "x", "message": 5, "data": []}, {"code": None}])
def test_a_malformed_error_is_still_an_error(error: Any) -> None:
    end = End()
    asking = end.rpc.request("a", {})
    end.receive(id=end.sent[0]["id"], error=error)
    assert isinstance(outcome(asking), RpcError)


def test_cancelling_tells_the_other_side_and_drops_the_late_answer() -> None:
    end = End()
    asking = end.rpc.request("a", {})
    asking.cancel()
    assert isinstance(outcome(asking), CancelledError)
    assert end.sent[1] == {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": end.sent[0]["id"]}}
    end.receive(id=end.sent[0]["id"], result=1)


def test_what_answers_bring_about_leaves_in_one_write_after_all_of_them() -> None:
    end = End()
    order: list[Any] = []

    def answered(answer: Any) -> None:
        order.append(answer)
        end.rpc.request("next", lambda: {"after": [*order]})

    for name in ("first", "second"):
        end.rpc.request(name, {}).addCallback(answered)
    ids = [sent["id"] for sent in end.sent]
    end.rpc.data_received(b"".join(encode({"jsonrpc": "2.0", "id": one, "result": one}) for one in ids))
    assert [sent["params"] for sent in end.sent[2:]] == [{"after": ids}, {"after": ids}]
    assert end.writes == 3


def test_a_request_that_is_cancelled_before_it_left_is_never_sent() -> None:
    end = End()
    outcomes: list[Any] = []

    def cancelled(_: Any) -> None:
        asking = end.rpc.request("never", {})
        asking.addErrback(lambda failure: outcomes.append(failure.check(CancelledError)))
        asking.cancel()

    end.rpc.request("first", {}).addCallback(cancelled)
    end.receive(id=end.sent[0]["id"], result=None)
    assert (outcomes, len(end.sent), end.rpc.pending) == ([CancelledError], 1, {})


def test_one_that_fails_may_cancel_another_that_leaves_with_it() -> None:
    end = End()

    def answered(_: Any) -> None:
        failing = end.rpc.request("failing", {"x": object()})
        other = end.rpc.request("other", {})
        other.addErrback(lambda _: None)
        failing.addErrback(lambda _: other.cancel())

    end.rpc.request("first", {}).addCallback(answered)
    end.receive(id=end.sent[0]["id"], result=None)
    assert [sent["method"] for sent in end.sent] == ["first", "other", "$/cancelRequest"]
    assert end.sent[2]["params"] == {"id": end.sent[1]["id"]}


NOT_JSON = {"code": -32602, "message": "the parameters are not JSON"}


def bodies_of(rpc: Rpc) -> list[bytes]:
    """What it is going to send."""
    sent: list[bytes] = []
    frames = FrameReader()
    rpc.write = lambda data: sent.extend(map(bytes, frames.feed(data)))
    return sent


def test_a_call_with_an_infinite_number_is_sent_again_as_json() -> None:
    end = End()
    sent = bodies_of(end.rpc)
    asking = end.rpc.request("a", lambda: {"x": [math.inf, "Infinity"]}, print)
    assert sent == [b'{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[Infinity,"Infinity"]}}']
    end.receive(id=1, error=NOT_JSON)
    assert sent[1:] == [b'{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[1e400,"Infinity"]}}']
    assert not asking.called
    end.receive(id=1, result="done")
    assert outcome(asking) == "done"


def test_a_call_that_cannot_be_read_again_fails() -> None:
    end = End()
    sent = bodies_of(end.rpc)
    asking = end.rpc.request("a", lambda: {"x": math.nan}, print)
    end.receive(id=1, error=NOT_JSON)
    end.receive(id=1, error=NOT_JSON)
    assert (outcome(asking).code, len(sent)) == (-32602, 2)


def test_what_is_no_call_is_sent_as_json_at_once_and_once() -> None:
    end = End()
    sent = bodies_of(end.rpc)
    asking = end.rpc.request("a", lambda: {"x": math.inf})
    assert sent == [b'{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1e400}}']
    end.receive(id=1, error=NOT_JSON)
    assert (outcome(asking).code, len(sent)) == (-32602, 1)


def test_a_call_that_is_cancelled_before_it_is_sent_again_is_not_sent() -> None:
    end = End()
    sent = bodies_of(end.rpc)
    first, asking = end.rpc.request("a", {}), end.rpc.request("b", lambda: {"x": math.inf}, print)
    asking.addErrback(lambda _: None)
    first.addCallback(lambda _: asking.cancel())
    end.rpc.data_received(
        encode({"jsonrpc": "2.0", "id": 2, "error": NOT_JSON}) + encode({"jsonrpc": "2.0", "id": 1, "result": 1})
    )
    assert (len(sent), end.rpc.pending) == (2, {})


def test_parameters_that_cannot_be_made_fail_their_request_alone() -> None:
    end = End()
    nothing: dict[str, Any] = {}
    fine = end.rpc.request("fine", lambda: {"a": 1})
    assert isinstance(outcome(end.rpc.request("broken", lambda: nothing["missing"])), KeyError)
    assert [sent["params"] for sent in end.sent] == [{"a": 1}]
    assert not fine.called


@pytest.mark.parametrize("answer", [{"id": 99, "result": 1}, {"id": "1", "result": 1}, {"id": None, "result": 1}, {}])
def test_answers_that_nobody_waits_for_are_dropped(answer: Any) -> None:
    end = End()
    asking = end.rpc.request("a", {})
    end.receive(**answer)
    assert not asking.called


def test_closing_fails_what_waits_and_what_comes() -> None:
    end = End()
    asking = end.rpc.request("a", {})
    end.rpc.close("it ended")
    assert isinstance(outcome(asking), ConnectionGone)
    assert isinstance(outcome(end.rpc.request("b", {})), ConnectionGone)
    assert len(end.sent) == 1


def test_requests_of_the_other_side_are_answered() -> None:
    end = End()
    end.receive(id=7, method="echo", params={"a": 1})
    end.receive(id="x", method="refuse", params={})
    end.receive(id=8, method="echo", params=[1])
    assert end.sent[0] == {"jsonrpc": "2.0", "id": 7, "result": {"echo": {"a": 1}}}
    assert end.sent[1]["error"] == {"code": -32001, "message": "no", "data": {"module": "m"}}
    assert end.sent[2]["error"]["code"] == -32600


UNREADABLE = [b"", b"[]", b"1", b"{", b"null", b"\xff"]


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_stream_that_begins_with_a_frame_that_is_no_message_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenStream):
        End().rpc.data_received(frame(body))


def test_frames_that_are_no_messages_harm_nothing_unless_only_they_come() -> None:
    end = End()
    asking = end.rpc.request("a", {})
    for _ in range(3):
        end.receive(id="stray")
        end.rpc.data_received(b"".join(frame(UNREADABLE[number % 6]) for number in range(MOST_UNREADABLE)))
    with pytest.raises(BrokenStream):
        end.rpc.data_received(frame(b"{"))
    end.rpc.close("over")
    assert isinstance(outcome(asking), ConnectionGone)


def test_frames_that_are_no_messages_are_logged_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    end = End()
    for _ in range(1_000):
        end.receive(id="stray")
        end.rpc.data_received(frame(b"{"))
    assert len(caplog.messages) == 10


@pytest.mark.parametrize(
    ("body", "fails"),
    [
        (b'{"jsonrpc":"2.0","id":@,"result":nonsense', True),
        (b'\xef\xbb\xbf{ "jsonrpc": "2.0", "id": @, "error": {}}', True),
        # Its own request of that number, another number, and no number that can be told.
        (b'{"jsonrpc":"2.0","id":@,"method":"state/get","params":nonsense', False),
        (b'{"jsonrpc":"2.0","id":@0,"result":nonsense', False),
        (b'{"id":@,"result":nonsense', False),
    ],
)
def test_an_answer_that_is_not_json_fails_the_request_that_it_names(body: bytes, fails: bool) -> None:
    end = End()
    asking, beside = end.rpc.request("a", {}), end.rpc.request("b", {})
    end.receive(id="stray")
    end.rpc.data_received(frame(body.replace(b"@", str(end.sent[0]["id"]).encode())))
    end.receive(id=end.sent[1]["id"], result="fine")
    assert outcome(beside) == "fine"
    end.receive(id=end.sent[0]["id"], result="late")
    answer = outcome(asking)
    assert (answer.code if isinstance(answer, RpcError) else answer) == (-32700 if fails else "late")


def test_parameters_that_are_no_json_fail_that_request_alone() -> None:
    end = End()
    assert isinstance(outcome(end.rpc.request("a", {"x": object()})), ValueError)
    fine = end.rpc.request("b", {})
    end.receive(id=end.sent[0]["id"], result=1)
    assert outcome(fine) == 1
