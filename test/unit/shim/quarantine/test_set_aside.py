"""What is known of those who are set aside, and what the log says of them."""

import re
import time as system
from types import SimpleNamespace
from typing import Any

import pytest
from asking import call_of, message_from
from fake_time import Time
from objects import event
from synapse.logging.context import (  # type: ignore[attr-defined] # LoggingContext is of Rust now
    ContextRequest,
    LoggingContext,
)
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.quarantine import quarantine as subject
from synapse_module_bridge.quarantine.quarantine import FIRST_SECONDS, LONGEST_SECONDS, Quarantine


def question(display_name: str) -> Call:
    """One that has no author."""
    return call_of("check_username_for_spam", [{"user_id": "@m:test", "display_name": display_name}, "@alice:test"])


def of(*senders: str) -> Quarantine:
    """One that has set these aside for the module m."""
    quarantine = Quarantine("test")
    for sender in senders:
        quarantine.add(message_from(sender), "m", "exit code 1")
    return quarantine


def seconds_of(quarantine: Quarantine, sender: str, module: str = "m") -> float:
    """For how long this author is set aside who ends Node now."""
    quarantine.add(message_from(sender), module, "exit code 1")
    [seconds] = [held.seconds for held in quarantine.listed() if (held.module, held.whose[1]) == (module, sender)]
    return seconds


def in_room(sender: str, room: str, name: str = "check_event_for_spam") -> Call:
    args = [event(sender=sender, room_id=room)]
    return call_of(name, [*args, {}] if name == "check_event_allowed" else args)


@pytest.mark.parametrize(
    ("name", "asked_api", "holds_elsewhere"),
    [
        ("check_event_for_spam", False, True),
        # What others wrote may have done it.
        ("check_event_for_spam", True, False),
        ("check_event_allowed", False, False),
    ],
)
def test_an_author_is_set_aside_in_one_room_alone_where_the_module_saw_what_others_wrote(
    name: str, asked_api: bool, holds_elsewhere: bool
) -> None:
    quarantine = Quarantine("test")
    quarantine.add(in_room("@a:test", "!bad:test", name), "m", "exit code 1", asked_api=asked_api)
    assert quarantine.holds(in_room("@a:test", "!bad:test", name), "m")
    assert quarantine.holds(in_room("@a:test", "!other:test", name), "m") is holds_elsewhere
    assert not quarantine.holds(in_room("@b:test", "!bad:test", name), "m")


def test_nobody_is_set_aside_everywhere_for_what_others_wrote_in_however_many_rooms(
    caplog: pytest.LogCaptureFixture,
) -> None:
    quarantine = Quarantine("test")
    for number in range(10):
        quarantine.add(in_room("@a:test", f"!{number}:test"), "m", "exit code 1", asked_api=True)
    assert " about @a:test in !0:test for 10 min, since that has ended Node (exit code 1)" in caplog.messages[0]
    assert quarantine.holds(in_room("@a:test", "!9:test"), "m")
    assert not quarantine.holds(in_room("@a:test", "!other:test"), "m")
    assert not quarantine.holds(in_room("@b:test", "!0:test"), "m")


@pytest.mark.parametrize(
    ("state_key", "holds_elsewhere"),
    [
        # A copy of their own name, and of that of whom they invite.
        ("@a:test", True),
        ("@b:test", False),
    ],
)
def test_who_invites_somebody_is_set_aside_in_that_room_alone_for_the_name_of_whom_they_invite(
    state_key: str, holds_elsewhere: bool
) -> None:
    def membership(room: str) -> Call:
        content = {"membership": "invite", "displayname": "bad"}
        member = event(type="m.room.member", sender="@a:test", state_key=state_key, room_id=room, content=content)
        return call_of("check_event_for_spam", [member])

    quarantine = Quarantine("test")
    quarantine.add(membership("!bad:test"), "m", "exit code 1")
    assert quarantine.holds(membership("!bad:test"), "m")
    assert quarantine.holds(membership("!other:test"), "m") is holds_elsewhere


def media(digest: bytes, server: str | None = None, uploader: str | None = None, **info: Any) -> Call:
    """A file as Synapse hands it over, in the context of the request of whom it comes."""
    about = {"server_name": server, "file_id": "f", "url_cache": False, "thumbnail": None, **info}
    with LoggingContext(name="upload", server_name="test") as context:
        context.request = ContextRequest("id", "1.2.3.4", "site", uploader, uploader, "POST", "/", "1.1", "agent")
        call = call_of("check_media_file_for_spam", [SimpleNamespace(path="/file"), SimpleNamespace(**about)])
    call.file_digest = digest
    return call


def test_who_uploads_files_is_their_author_and_others_still_may() -> None:
    quarantine = Quarantine("test")
    quarantine.add(media(b"1", uploader="@a:test"), "m", "exit code 1")
    assert quarantine.holds(media(b"2", uploader="@a:test"), "m")
    assert not quarantine.holds(media(b"1", uploader="@b:test"), "m")


@pytest.mark.parametrize(
    ("server", "info"),
    [("remote", {}), (None, {"url_cache": True}), (None, {"thumbnail": SimpleNamespace(width=1, height=1)})],
)
def test_who_looks_at_a_file_of_somebody_else_is_not_its_author(server: str | None, info: dict[str, Any]) -> None:
    quarantine = Quarantine("test")
    quarantine.add(media(b"1", server, "@a:test", **info), "m", "exit code 1")
    assert quarantine.holds(media(b"1", server, "@b:test", **info), "m")
    assert not quarantine.holds(media(b"2", server, "@a:test", **info), "m")


def test_a_server_of_three_files_that_end_node_is_set_aside(caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine("test")
    for digest in (b"1", b"2", b"3"):
        assert not quarantine.holds(media(b"4", "remote"), "m")
        quarantine.add(media(digest, "remote"), "m", "exit code 1")
    assert quarantine.holds(media(b"4", "remote"), "m")
    assert not quarantine.holds(media(b"4", "other"), "m") and not quarantine.holds(media(b"4"), "m")
    assert "about users of remote for 10 min, since 3 files of it have ended Node" in caplog.messages[-1]


def test_three_authors_in_three_rooms_are_set_aside_in_one_each() -> None:
    quarantine = Quarantine("test")
    for name in "abc":
        quarantine.add(in_room(f"@{name}:test", f"!{name}:test"), "m", "exit code 1", asked_api=True)
    for name in "abc":
        assert not quarantine.holds(in_room(f"@{name}:test", "!other:test"), "m")


def test_an_author_of_what_is_in_no_room_is_set_aside_whatever_the_module_has_asked() -> None:
    quarantine = Quarantine("test")
    quarantine.add(call_of("check_login_for_spam"), "m", "exit code 1", asked_api=True)
    assert quarantine.holds(call_of("check_login_for_spam"), "m")


def test_what_one_hopping_through_rooms_sends_of_their_own_is_set_aside_at_once() -> None:
    quarantine = Quarantine("test")
    data = ["@a:test", "!one:test", "m.fully_read", {}]
    quarantine.add(call_of("on_account_data_updated", data), "m", "exit code 1")
    assert quarantine.holds(call_of("on_account_data_updated", ["@a:test", "!two:test", "m.tag", {}]), "m")


def test_a_display_name_is_set_aside_whoever_searches_for_it() -> None:
    quarantine = Quarantine("test")
    profile = {"user_id": "@m:test", "display_name": "bad", "avatar_url": None}
    quarantine.add(call_of("check_username_for_spam", [profile, "@alice:test"]), "m", "exit code 1")
    assert quarantine.holds(call_of("check_username_for_spam", [profile, "@bob:test"]), "m")
    assert not quarantine.holds(
        call_of("check_username_for_spam", [{**profile, "display_name": "b"}, "@bob:test"]), "m"
    )


def test_it_is_active_while_anybody_is_set_aside() -> None:
    assert not Quarantine("test").active
    quarantine = of("@a:test", "@b:test")
    for held in quarantine.listed():
        assert quarantine.active is True
        quarantine.end(held.id)
    assert quarantine.active is False


def test_it_knows_since_when_and_has_an_id_that_can_be_typed() -> None:
    before = system.time()
    [held] = of("@a:test").listed()
    assert before <= held.since <= system.time()
    assert re.fullmatch("[0-9a-f]{8}", held.id)


def test_a_call_of_which_nothing_can_be_set_aside_costs_no_hash() -> None:
    quarantine = Quarantine("test")
    for name in ("bad", "worse"):
        quarantine.add(question(name), "m", "exit code 1")
    bad, worse = quarantine.listed()
    for module, costs in (("m", True), ("n", False)):
        good = question("good")
        assert not quarantine.holds(good, module)
        assert (good.question is not None) is costs
    quarantine.end(bad.id)
    assert not quarantine.holds(question("bad"), "m") and quarantine.holds(question("worse"), "m")
    quarantine.end(worse.id)
    good = question("good")
    assert not quarantine.holds(good, "m") and good.question is None


def test_a_question_that_cannot_be_told_from_others_sets_nothing_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine = Quarantine("test")
    quarantine.add(question("bad"), "m", "exit code 1")
    monkeypatch.setattr("synapse_module_bridge.transport.framing.MAX_FRAME_BYTES", 10)
    nameless = question("x" * 100)
    quarantine.add(nameless, "m", "exit code 1")
    assert len(quarantine.listed()) == 1
    assert not quarantine.holds(nameless, "m")


@pytest.mark.parametrize(
    ("senders", "bystander", "is_held"),
    [
        (["@a:remote", "@b:remote", "@c:remote"], "@x:remote", True),
        (["@a:remote", "@b:remote"], "@x:remote", False),
        (["@a:one", "@b:two", "@c:three", "@d:four"], "@x:four", False),
        (["@a:remote:8448", "@b:remote:8448", "@c:remote:8448"], "@x:remote:8448", True),
        (["@a:one:8448", "@b:two:8448", "@c:three:8448"], "@x:three:8448", False),
    ],
)
def test_a_server_is_set_aside_for_three_authors_of_its_own(senders: list[str], bystander: str, is_held: bool) -> None:
    assert of(*senders).holds(message_from(bystander), "m") is is_held


def test_who_has_been_set_aside_before_is_longer_the_next_time_but_not_after_an_admin_or_a_reload() -> None:
    time = Time()
    quarantine = Quarantine("test", time)
    for module in ("m", "n"):
        assert seconds_of(quarantine, "@a:test", module) == FIRST_SECONDS
    time.now += FIRST_SECONDS
    assert quarantine.listed() == []
    quarantine.reloaded({"m"})
    assert seconds_of(quarantine, "@a:test", "m") == FIRST_SECONDS
    assert seconds_of(quarantine, "@a:test", "n") == 2 * FIRST_SECONDS
    [first] = [held for held in quarantine.listed() if held.module == "m"]
    quarantine.end(first.id)
    assert seconds_of(quarantine, "@a:test", "m") == FIRST_SECONDS
    quarantine.reloaded({"m"})
    assert seconds_of(quarantine, "@a:test", "m") == FIRST_SECONDS


def test_who_was_set_aside_by_mistake_is_set_aside_the_next_time_as_if_it_had_not_been() -> None:
    time = Time()
    quarantine = Quarantine("test", time)
    seconds_of(quarantine, "@a:test")
    time.now += FIRST_SECONDS
    for sender in ("@a:test", "@b:test"):
        ids = quarantine.add(message_from(sender), "m", "exit code 1")
        assert len(ids) == 1
        quarantine.acquit(ids)
        assert not quarantine.holds(message_from(sender), "m")
    assert seconds_of(quarantine, "@a:test") == 2 * FIRST_SECONDS
    assert seconds_of(quarantine, "@b:test") == FIRST_SECONDS


def test_of_too_many_who_have_been_set_aside_before_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_SET_ASIDE", 3)
    # The last three are set aside still, and the three before them have been.
    quarantine = of(*(f"@{number}:test" for number in range(9)))
    assert seconds_of(quarantine, "@5:test") == 2 * FIRST_SECONDS
    assert seconds_of(quarantine, "@0:test") == FIRST_SECONDS


def test_what_a_reload_ends_takes_no_place_of_those_of_another_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_SET_ASIDE", 3)
    time = Time()
    quarantine = Quarantine("test", time)
    for number in range(3):
        seconds_of(quarantine, f"@{number}:test", "n")
    time.now += FIRST_SECONDS
    seconds_of(quarantine, "@a:test", "m")
    quarantine.reloaded({"m"})
    assert seconds_of(quarantine, "@0:test", "n") == 2 * FIRST_SECONDS


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        (
            [message_from("@a:test")],
            "m is not asked check_event_for_spam about @a:test for 10 min, since that has ended",
        ),
        ([question("bad")], "m is not asked check_username_for_spam about one question for 10 min, since that has"),
        (
            [call_of("user_may_invite", ["@a:test", "@b:test", "!r:test"])],
            "m is not asked user_may_invite about @a:test for 10 min, since that has ended Node (code 1) (",
        ),
        (
            [message_from(f"@{name}:remote") for name in "abc"],
            "m is not asked check_event_for_spam about users of remote for 10 min, since 3 users of it have ended Node",
        ),
    ],
)
def test_the_log_says_who_is_set_aside_for_how_long_and_why(
    calls: list[Call], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    quarantine = Quarantine("test")
    for call in calls:
        quarantine.add(call, "m", "code 1")
    assert caplog.messages[-1].startswith(told)
    assert caplog.messages[-1].endswith(f"(quarantine {quarantine.listed()[-1].id})")


def test_the_log_says_in_minutes_how_long_it_lasts_when_it_has_come_often(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    quarantine = Quarantine("test", time)
    for _ in range(8):
        seconds_of(quarantine, "@a:test")
        time.now += LONGEST_SECONDS - 1
    assert [re.findall(r" for (\d+) min,", line) for line in caplog.messages][-2:] == [["640"], ["1280"]]


def test_the_log_says_that_an_admin_has_ended_it(caplog: pytest.LogCaptureFixture) -> None:
    quarantine = of("@a\nb:test")
    quarantine.end(quarantine.listed()[0].id)
    assert caplog.messages[1:] == ["m is asked check_event_for_spam about @a\\nb:test again"]
