"""Who is set aside after having ended Node, for how long, and what is answered meanwhile."""

import itertools
from typing import Any

import pytest
from asking import Host, answer, ask, call_of, calls_over, entry, sample
from counted import count
from fake_time import Time
from objects import event
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, SynapseError
from synapse.types import UserID, create_requester
from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.quarantine import quarantine as subject
from synapse_module_bridge.quarantine.quarantine import FIRST_SECONDS, LONGEST_SECONDS, Quarantine
from synapse_module_bridge.resilience.policy import Policies
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.on_failure import OnFailure

depths = itertools.count(3)


def message(sender: str = "@alice:test", room: str = "!room:test", **fields: Any) -> Any:
    return event(sender=sender, room_id=room, depth=next(depths), **fields)


def spam_check(sender: str = "@alice:test", **fields: Any) -> Call:
    return call_of("check_event_for_spam", [message(sender, **fields)])


def event_allowed(sender: str, room: str) -> Call:
    return call_of("check_event_allowed", [message(sender, room), {}])


def test_an_author_is_set_aside_for_one_callback_of_one_module() -> None:
    quarantine = Quarantine("test")
    quarantine.add(spam_check("@mallory:test"), "m", "exit code 1")
    assert quarantine.holds(spam_check("@mallory:test", room="!other:test"), "m")
    assert not quarantine.holds(spam_check("@alice:test"), "m")
    assert not quarantine.holds(spam_check("@mallory:test"), "n")
    assert not quarantine.holds(event_allowed("@mallory:test", "!room:test"), "m")


def test_where_a_room_holds_what_others_wrote_its_author_is_set_aside_in_that_room_alone() -> None:
    quarantine = Quarantine("test")
    quarantine.add(event_allowed("@alice:test", "!poisoned:test"), "m", "exit code 1")
    assert quarantine.holds(event_allowed("@alice:test", "!poisoned:test"), "m")
    assert not quarantine.holds(event_allowed("@alice:test", "!other:test"), "m")
    assert not quarantine.holds(event_allowed("@bob:test", "!poisoned:test"), "m")


# Nobody is set aside for content that somebody else wrote, nor for what nobody who is authenticated has asked.
OF_NOBODY = [
    ("check_username_for_spam", [{"user_id": "@mallory:test", "display_name": "crash"}, "@alice:test"]),
    ("check_registration_for_spam", None),
    ("check_media_file_for_spam", None),
    ("should_drop_federated_event", None),
    ("auth_checkers", None),
    ("check_3pid_auth", None),
    ("check_threepid_can_be_invited", None),
    ("check_visibility_can_be_modified", None),
    ("get_users_for_states", None),
    ("on_event_delivered_over_federation", None),
]


@pytest.mark.parametrize(("name", "args"), OF_NOBODY)
def test_where_the_content_is_somebody_elses_that_question_alone_is_set_aside(name: str, args: Any) -> None:
    call = call_of(name, args)
    assert call.author is None
    quarantine = Quarantine("test")
    quarantine.add(call, "m", "exit code 1")
    [held] = quarantine.listed()
    assert held.whose[0] == "question"
    assert quarantine.holds(call_of(name, args), "m") or name in ("check_media_file_for_spam", "get_users_for_states")


def test_another_question_of_nobodys_is_asked() -> None:
    quarantine = Quarantine("test")
    quarantine.add(call_of(*OF_NOBODY[0]), "m", "exit code 1")
    other = call_of("check_username_for_spam", [{"user_id": "@bob:test", "display_name": "Bob"}, "@alice:test"])
    assert not quarantine.holds(other, "m")


AUTHORS = {
    "on_create_room": create_requester(UserID("mallory", "test")),
    "user_may_invite": "@mallory:test",
    "user_may_join_room": "@mallory:test",
    "check_login_for_spam": "@mallory:test",
}


@pytest.mark.parametrize("name", AUTHORS)
def test_an_author_is_who_has_asked_and_not_whom_it_is_about(name: str) -> None:
    assert call_of(name, [AUTHORS[name], *sample(CALLBACKS[name])[1:]]).author == "@mallory:test"


def test_it_lasts_twice_as_long_each_time_up_to_a_day() -> None:
    time = Time()
    quarantine = Quarantine("test", time)
    seconds = []
    for _ in range(12):
        quarantine.add(spam_check(), "m", "exit code 1")
        # Once more meanwhile is none of its own.
        quarantine.add(spam_check(), "m", "exit code 1")
        [held] = quarantine.listed()
        seconds.append(held.seconds)
        time.now += held.seconds - 1
        assert quarantine.holds(spam_check(), "m")
        time.now += 1
        assert not quarantine.holds(spam_check(), "m")
        assert not quarantine.active
    assert seconds[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert seconds[-1] == LONGEST_SECONDS
    time.now += LONGEST_SECONDS
    quarantine.add(spam_check(), "m", "exit code 1")
    assert quarantine.listed()[0].seconds == FIRST_SECONDS


def test_an_admin_or_a_reload_of_the_module_ends_it() -> None:
    quarantine = Quarantine("test")
    for sender, module in [("@a:test", "m"), ("@b:test", "m"), ("@c:test", "n")]:
        quarantine.add(spam_check(sender), module, "exit code 1")
    first, second, third = quarantine.listed()
    assert len({first.id, second.id, third.id}) == 3
    assert quarantine.end(first.id) and not quarantine.end(first.id) and not quarantine.end("nonsense")
    assert not quarantine.holds(spam_check("@a:test"), "m") and quarantine.holds(spam_check("@b:test"), "m")
    quarantine.reloaded({"m"})
    assert quarantine.listed() == [third]
    quarantine.reloaded({"n"})
    assert not quarantine.active
    # It begins anew.
    quarantine.add(spam_check("@b:test"), "m", "exit code 1")
    assert quarantine.listed()[0].seconds == FIRST_SECONDS


def test_several_authors_of_another_server_set_it_aside_and_of_ours_do_not() -> None:
    quarantine = Quarantine("test")
    for name in "abc":
        assert not quarantine.holds(spam_check("@bystander:remote"), "m")
        quarantine.add(spam_check(f"@{name}:remote"), "m", "exit code 1")
        quarantine.add(spam_check(f"@{name}:test"), "m", "exit code 1")
        quarantine.add(spam_check(f"@{name}:other{name}"), "m", "exit code 1")
    assert quarantine.holds(spam_check("@bystander:remote"), "m")
    assert not quarantine.holds(spam_check("@bystander:remote"), "n")
    assert not quarantine.holds(spam_check("@bystander:test"), "m")
    assert not quarantine.holds(spam_check("@bystander:othera"), "m")


def test_one_author_in_three_rooms_does_not_set_its_server_aside() -> None:
    quarantine = Quarantine("test")
    for name in "abc":
        quarantine.add(event_allowed("@a:remote", f"!{name}:test"), "m", "exit code 1")
    assert not quarantine.holds(event_allowed("@b:remote", "!a:test"), "m")


def test_it_is_bounded_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_SET_ASIDE", 10)
    quarantine = Quarantine("test")
    for number in range(30):
        quarantine.add(spam_check(f"@user{number}:test"), "m", "exit code 1")
    assert len(quarantine.listed()) == 10
    assert not quarantine.holds(spam_check("@user0:test"), "m") and quarantine.holds(spam_check("@user29:test"), "m")
    assert len(quarantine._before) == 10


def test_it_is_logged_by_name_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine("test")
    with caplog.at_level("WARNING"):
        quarantine.add(call_of("user_may_invite", ["@a\nb:test", "@b:test", "!r:test"]), "m", "exit code\n1")
    [line] = caplog.messages
    assert line.startswith("m is not asked user_may_invite about @a\\nb:test for 10 min, since that has ended")
    assert "exit code\\n1" in line and quarantine.listed()[0].id in line and "\n" not in line


# --- what is answered


def outcome(name: str, args: Any, modules: tuple[str, ...] = ("m",), policies: Policies | None = None) -> Any:
    """Once its author, or the question, is set aside for the first module."""
    host = Host(answer("NOT_SPAM", None) if name != "check_event_allowed" else answer(True, None))
    calls = calls_over(host, policies)
    calls.round_trip.quarantine.add(call_of(name, args, calls), "m", "exit code 1")
    try:
        answered = ask(name, host, args, calls=calls, modules=modules)
    except SynapseError as e:
        answered = e.code, e.errcode
    assert [params["modules"] for _, params, _ in host.calls] in ([], [["n"]])
    return answered, len(host.calls)


DENIED = (403, Codes.FORBIDDEN)
ALLOW = Policies(OnFailure(local="allow", federated="allow"), {})
LEAVE: dict[str, Any] = {"type": "m.room.member", "content": {"membership": "leave"}}
STATE: dict[str, Any] = {"type": "m.room.topic", "state_key": "", "content": {"topic": "x"}}


@pytest.mark.parametrize("policies", [None, ALLOW])
@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("check_event_for_spam", [message()], DENIED),
        # It is soft-failed.
        ("check_event_for_spam", [message("@bob:remote")], Codes.FORBIDDEN),
        ("check_event_allowed", [message(), {}], DENIED),
        ("user_may_invite", ["@alice:test", "@bob:test", "!room:test"], DENIED),
        ("is_user_allowed_to_upload_media_of_size", ["@alice:test", 7], False),
    ],
)
def test_a_local_author_is_refused_and_so_is_a_message_of_another_server(
    name: str, args: Any, expected: Any, policies: Policies | None
) -> None:
    assert outcome(name, args, policies=policies) == (expected, 0)
    # Those after it are not asked: it is refused.
    assert outcome(name, args, ("m", "n"), policies) == (expected, 0)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("check_event_allowed", [message(state_key="@alice:test", **LEAVE), {}], (True, None)),
        ("check_event_for_spam", [message("@bob:remote", state_key="@bob:remote", **LEAVE)], NOT_SPAM),
        (
            "user_may_send_state_event",
            ["@alice:test", "!r:test", "m.room.member", "@alice:test", LEAVE["content"]],
            NOT_SPAM,
        ),
        ("check_can_deactivate_user", ["@alice:test", False], True),
        ("check_visibility_can_be_modified", ["!r:test", {}, "private"], True),
        # State of other servers follows the policy, and so does what has no author.
        ("check_event_for_spam", [message("@bob:remote", **STATE)], NOT_SPAM),
        ("check_username_for_spam", [{"user_id": "@mallory:test"}, "@alice:test"], False),
        ("should_drop_federated_event", [message("@bob:remote")], False),
    ],
)
def test_nobody_is_kept_from_leaving_and_state_of_other_servers_follows_the_policy(
    name: str, args: Any, expected: Any
) -> None:
    host = Host(answer("NOT_SPAM", None))
    calls = calls_over(host)
    calls.round_trip.quarantine.add(call_of(name, args, calls), "m", "exit code 1")
    assert ask(name, host, args, calls=calls) == expected
    assert host.calls == []


def test_where_the_policy_allows_the_modules_after_it_are_asked() -> None:
    assert outcome("check_event_for_spam", [message("@bob:remote", **STATE)], ("m", "n")) == (NOT_SPAM, 1)


def test_an_event_of_our_own_that_comes_back_from_another_server_is_not_lost() -> None:
    host = Host(answer("NOT_SPAM", None))
    calls = calls_over(host)
    own = message()
    calls.round_trip.quarantine.add(call_of("check_event_for_spam", [own], calls), "m", "exit code 1")
    call = call_of("check_event_for_spam", [own], calls)
    call.local, call.who = False, "test"
    coroutine: Any = calls.ask(call, [entry("m")])
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert done.value.value is NOT_SPAM


def test_a_call_that_is_not_asked_is_counted() -> None:
    before = count("calls_total", outcome="policy", reason="quarantine", module="m")
    outcome("check_event_for_spam", [message()])
    assert count("calls_total", outcome="policy", reason="quarantine", module="m") == before + 1
