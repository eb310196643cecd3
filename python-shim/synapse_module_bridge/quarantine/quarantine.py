"""Keeps the quarantine: authors, servers and questions that a module is not asked about for a while, since they have
crashed or hung Node. So no content can switch a module off for others.

An author is the authenticated user who wrote the content, and is set aside for one callback of one module. Where the
module has seen what others wrote (the room's state, what it asked the api for, the name of an invited user), the author
is set aside in that room only. Where a call has no author, only that question is set aside. Several authors or files of
a remote server set the server aside. Each time lasts twice as long as the one before. A reload of the module ends it,
and an admin can.
"""

import logging
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence

import attr

from synapse_module_bridge.calls.call import Call
from synapse_module_bridge.resilience.answer_cache import question_of
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.quarantine")

FIRST_SECONDS = 600.0
LONGEST_SECONDS = 86_400.0
# So many authors, or files, of a remote server set the server aside.
SUSPECTS_OF_A_SERVER = 3
# With more, the oldest are dropped.
MOST_SET_ASIDE = 5_000

# ("author", user id, room id or ""), ("server", name), or ("question", hash, the file's remote server or "").
Whose = tuple[str, ...]


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class SetAside:
    """One author, server or question that is set aside."""

    # For the admin.
    id: str
    module: str
    callback: str
    whose: Whose
    # In seconds since the epoch.
    since: float
    # On the monotonic clock.
    until: float
    # How long it lasts.
    seconds: float
    # The last time, if that was within a day.
    before: "SetAside | None" = None

    @property
    def key(self) -> tuple[str, str, Whose]:
        """What it is about. Only one at a time is about the same."""
        return self.module, self.callback, self.whose


class Quarantine:
    """`server_name` is this server's. `now` is a clock in seconds."""

    def __init__(self, server_name: str, now: Callable[[], float] = time.monotonic) -> None:
        self._server_name = server_name
        self._now = now
        # Whether anything is set aside. Each call reads this.
        self.active = False
        self._set_aside: OrderedDict[tuple[str, str, Whose], SetAside] = OrderedDict()
        # How many are set aside, by module and callback.
        self._concerned: dict[tuple[str, str], int] = {}
        # Those that have ended, on which the time of the next one depends.
        self._before: OrderedDict[tuple[str, str, Whose], SetAside] = OrderedDict()

    def holds(self, call: Call, module: str) -> bool:
        """Whether this module must not be asked about the call."""
        callback = call.callback.name
        if (module, callback) not in self._concerned:
            return False
        return any(self._lasts((module, callback, whose)) for whose in self._all_of(call))

    def _lasts(self, key: tuple[str, str, Whose]) -> bool:
        held = self._set_aside.get(key)
        if held is not None and held.until <= self._now():
            self._remove(held)
            return False
        return held is not None

    def _all_of(self, call: Call) -> list[Whose]:
        author = call.author
        if author is None:
            question, server = _question(call), call.file_server
            from_server: list[Whose] = [] if server is None else [("server", server)]
            return from_server if question is None else [question, *from_server]
        everywhere: list[Whose] = [("author", author, ""), ("server", _server(author))]
        return [("author", author, call.room), *everywhere] if call.room else everywhere

    def is_of_ours(self, call: Call) -> bool:
        """Whether the call's author is a user of this server. False where it has no author."""
        author = call.author
        return author is not None and _server(author) == self._server_name

    def add(self, call: Call, module: str, cause: str, *, asked_api: bool = False) -> Sequence[str]:
        """This call has crashed or hung Node in this module: sets its author or its question aside, and logs that.

        Returns the ids of what is set aside now, and was not before.

        `asked_api`: the module has asked the api for something during the call.
        """
        key, why = (module, call.callback.name), f"that has ended Node ({one_line(cause)})"
        before = {held.id for held in self._set_aside.values()}
        author, others, what = call.author, 0, "users"
        if author is None:
            server = call.file_server
            question = _question(call)
            if question is not None:
                self._add(*key, question, why)
                what, others = "files", sum(held.whose[2:] == (server,) for held in self._of(*key))
        else:
            server = None if self.is_of_ours(call) else _server(author)
            sees_others = asked_api or call.callback.state_param is not None or call.holds_what_others_wrote
            self._add(*key, ("author", author, (call.room or "") if sees_others else ""), why)
            authors = {held.whose[1] for held in self._of(*key) if held.whose[0] == "author"}
            others = sum(_server(other) == server for other in authors)
        if server is not None and others >= SUSPECTS_OF_A_SERVER:
            self._add(*key, ("server", server), f"{others} {what} of it have ended Node")
        return [held.id for held in self._set_aside.values() if held.id not in before]

    def _of(self, module: str, callback: str) -> list[SetAside]:
        return [held for held in self.listed() if held.key[:2] == (module, callback)]

    def _add(self, module: str, callback: str, whose: Whose, why: str) -> None:
        key = module, callback, whose
        if self._lasts(key):
            return
        now = self._now()
        before = self._before.pop(key, None)
        seconds = FIRST_SECONDS
        if before is not None and now - before.until < LONGEST_SECONDS:
            seconds = min(2 * before.seconds, LONGEST_SECONDS)
        held = SetAside(
            id=secrets.token_hex(4),
            module=module,
            callback=callback,
            whose=whose,
            since=time.time(),
            until=now + seconds,
            seconds=seconds,
            before=None if before is None else attr.evolve(before, before=None),
        )
        self._set_aside[key] = held
        self._concerned[module, callback] = self._concerned.get((module, callback), 0) + 1
        self.active = True
        if len(self._set_aside) > MOST_SET_ASIDE:
            self._remove(next(iter(self._set_aside.values())))
        logger.warning(
            "%s is not asked %s about %s for %.0f min, since %s (quarantine %s)",
            *(module, callback, _in_words(whose), seconds / 60, why, held.id),
        )

    def _remove(self, held: SetAside, *, forgotten: bool = False) -> None:
        del self._set_aside[held.key]
        self._concerned[held.key[:2]] -= 1
        if not self._concerned[held.key[:2]]:
            del self._concerned[held.key[:2]]
        self.active = bool(self._set_aside)
        if not forgotten:
            self._before[held.key] = held
            if len(self._before) > MOST_SET_ASIDE:
                self._before.popitem(last=False)

    def listed(self) -> Sequence[SetAside]:
        """All that are set aside now."""
        for held in [*self._set_aside.values()]:
            self._lasts(held.key)
        return [*self._set_aside.values()]

    def by_module(self) -> Mapping[str, int]:
        """How many are set aside now, by module. It changes nothing, so any thread may call it."""
        now = self._now()
        return Counter(held.module for held in [*self._set_aside.values()] if held.until > now)

    def end(self, id: str) -> bool:
        """Ends the one with this id, and forgets that it was. Returns whether there was one."""
        held = next((held for held in self.listed() if held.id == id), None)
        if held is None:
            return False
        self._remove(held, forgotten=True)
        logger.warning("%s is asked %s about %s again", held.module, held.callback, _in_words(held.whose))
        return True

    def acquit(self, ids: Collection[str]) -> None:
        """These were set aside by mistake: the next time lasts as long as if they never had been."""
        for held in [held for held in self.listed() if held.id in ids]:
            self.end(held.id)
            if held.before is not None:
                self._before[held.key] = held.before

    def reloaded(self, modules: Collection[str]) -> None:
        """These modules have changed: ends and forgets all that is about them."""
        for held in self.listed():
            if held.module in modules:
                self._remove(held, forgotten=True)
        for key in [key for key in self._before if key[0] in modules]:
            del self._before[key]


def _question(call: Call) -> Whose | None:
    """The call's question; None where it has no hash."""
    question, about = call.as_question(), call.callback.about
    if question is not None and about is not None:
        # The other parameters do not matter, such as the user who asks.
        question = question_of(call.callback, {about: call.params.get(about)})
    return None if question is None else ("question", question.hex(), call.file_server or "")


def _server(user_id: str) -> str:
    return user_id.partition(":")[2]


def _in_words(whose: Whose) -> str:
    kind, name, *room = whose
    if kind == "question":
        return "one question"
    place = f" in {one_line(room[0])}" if room and room[0] else ""
    return f"{'users of ' if kind == 'server' else ''}{one_line(name)}{place}"
