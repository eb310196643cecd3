"""What becomes of a request: who is let in, how many at once, and what is said where the bridge itself fails."""

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from synapse_module_bridge.admin import resource as module
from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.resource import AT_ONCE, AdminResource
from twisted.web.http_headers import Headers

ADMIN = {"Authorization": "@a:x"}
Answer = tuple[int, Any, dict[str, str]]


class Request:
    """What the resource uses of one of Twisted's."""

    def __init__(self, path: bytes, headers: Mapping[str, str], method: bytes = b"GET") -> None:
        self.method = method
        self.path = self.uri = b"/v1/" + path
        self.postpath = path.split(b"/")
        self.args: dict[bytes, list[bytes]] = {}
        self.content = io.BytesIO()
        self.requestHeaders = Headers({name: [value] for name, value in headers.items()})
        self.responseHeaders = Headers({"Synapse-Trace-Id": ["1"]})
        self.sent: dict[str, str] = {}

    def getHeader(self, name: bytes) -> bytes | None:
        found = self.requestHeaders.getRawHeaders(name)
        return None if found is None else found[-1]

    def setHeader(self, name: str, value: str) -> None:
        self.sent[name] = value


class Rig:
    """A resource with one endpoint."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, handler: Callable[[Question], Awaitable[Any]]) -> None:
        self.answers: list[Answer] = []
        self.unknown = 0
        self.is_served = True

        def respond(request: Any, status: int, body: bytes) -> None:
            self.answers.append((status, json.loads(body), request.sent))

        class Unknown:
            def render(_, request: Any) -> None:
                assert not request.responseHeaders.hasHeader("Synapse-Trace-Id") and not request.sent
                self.unknown += 1

        monkeypatch.setattr(module, "respond_with_json_bytes", respond)
        monkeypatch.setattr(module, "_UNKNOWN", Unknown())
        access: Any = self
        self.resource = AdminResource(
            access, {"get_status": handler, "post_reload": handler}, lambda: self.is_served, "https://public.example/"
        )

    async def admin_of(self, request: Any) -> str | None:
        given = request.getHeader(b"Authorization")
        return None if given is None else given.decode()

    async def ask(self, request: Request) -> None:
        await self.resource._async_render(request)


async def fine(_: Question) -> Mapping[str, Any]:
    return {"fine": True}


def test_an_admin_gets_an_answer_and_all_others_an_unknown_path(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, fine)
    asyncio.run(rig.ask(Request(b"status", ADMIN)))
    [(status, body, headers)] = rig.answers
    assert (status, body, headers["Cache-Control"]) == (200, {"fine": True}, "no-store")
    asyncio.run(rig.ask(Request(b"status", {})))
    assert (len(rig.answers), rig.unknown) == (1, 1)
    rig.is_served = False
    asyncio.run(rig.ask(Request(b"status", ADMIN)))
    assert (len(rig.answers), rig.unknown) == (1, 2)


@pytest.mark.parametrize("odd", [b"\xff", float("nan"), {1, 2}])
def test_what_cannot_be_encoded_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch, odd: Any) -> None:
    async def answers(_: Question) -> Mapping[str, Any]:
        return {"odd": odd}

    rig = Rig(monkeypatch, answers)
    asyncio.run(rig.ask(Request(b"status", ADMIN)))
    assert [(status, body["errcode"]) for status, body, _ in rig.answers] == [(500, "M_UNKNOWN")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://public.example"}, 200),
        ({"Origin": "https://PUBLIC.example"}, 200),
        ({"Origin": "http://own:8008", "Host": "own:8008"}, 200),
        ({"Origin": "https://public.example.evil"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "https://public.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "Same-Origin"}, 200),
    ],
)
def test_a_page_of_another_site_is_refused(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    rig = Rig(monkeypatch, fine)
    asyncio.run(rig.ask(Request(b"status", {**ADMIN, **headers})))
    assert [answer[0] for answer in rig.answers] == [status]


def test_a_fault_of_the_bridge_tells_nothing_but_where_to_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Question) -> Mapping[str, Any]:
        raise RuntimeError("what a user wrote")

    rig = Rig(monkeypatch, fails)
    asyncio.run(rig.ask(Request(b"status", ADMIN)))
    [(status, body, _)] = rig.answers
    assert (status, body["errcode"]) == (500, "M_UNKNOWN")
    assert "wrote" not in body["error"] + caplog.text and "answering GET /v1/status failed: RuntimeError" in caplog.text


def test_no_more_than_a_few_requests_are_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Rig:
        gate = asyncio.Event()

        async def waits(_: Question) -> Mapping[str, Any]:
            await gate.wait()
            return {}

        rig = Rig(monkeypatch, waits)
        asked = [asyncio.ensure_future(rig.ask(Request(b"status", ADMIN))) for _ in range(AT_ONCE + 1)]
        await asyncio.sleep(0)
        assert [(status, headers["Retry-After"]) for status, _, headers in rig.answers] == [(429, "1")]
        gate.set()
        await asyncio.gather(*asked)
        await rig.ask(Request(b"status", ADMIN))
        return rig

    assert [status for status, _, _ in asyncio.run(run()).answers] == [429] + [200] * (AT_ONCE + 1)


def test_slow_requests_of_one_kind_keep_nobody_from_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Rig:
        gate = asyncio.Event()

        async def waits(question: Question) -> Mapping[str, Any]:
            if question.endpoint.name == "post_reload":
                await gate.wait()
            return {}

        rig = Rig(monkeypatch, waits)
        asked = [asyncio.ensure_future(rig.ask(Request(b"reload", ADMIN, b"POST"))) for _ in range(AT_ONCE)]
        await asyncio.sleep(0)
        await rig.ask(Request(b"status", ADMIN))
        assert [status for status, _, _ in rig.answers] == [200]
        gate.set()
        await asyncio.gather(*asked)
        return rig

    assert [status for status, _, _ in asyncio.run(run()).answers] == [200] * (AT_ONCE + 1)


def test_who_changes_something_is_logged_without_parameters(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="synapse_module_bridge.admin")
    rig = Rig(monkeypatch, fine)
    request = Request(b"reload", ADMIN, b"POST")
    request.uri += b"?user=secret"
    asyncio.run(rig.ask(request))
    asyncio.run(rig.ask(Request(b"re\nload", ADMIN, b"POST")))
    asyncio.run(rig.ask(Request(b"status", ADMIN)))
    assert caplog.messages == ["@a:x: POST /v1/reload: 400", r"@a:x: POST /v1/re\nload: 404"]
