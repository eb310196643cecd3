"""Finds the web resources that end Node again and again, and refuses to serve them for a while.

A web request may have effects, so it is not asked again to find out whether it has ended Node. What counts instead is
how often a path was being served when Node, or its module's thread, ended without another known cause. A visitor who
was there each time is refused earlier than all others.
"""

import hashlib
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from typing import NamedTuple

import attr

from synapse_module_bridge.quarantine.suspects import RECENT_SECONDS
from synapse_module_bridge.schema.protocol import LIMITS
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.quarantine")

# A path may be under way by chance at the end of Node, but hardly so often. A visitor is refused on that path only.
ENDS_OF_A_PATH = 3
ENDS_OF_A_VISITOR = 2
WITHIN_SECONDS = 600.0
REFUSED_SECONDS = 600.0
# A request that was answered may end Node a little later, as a rejection that nobody handles does. So may a call.
ANSWERED_SECONDS = RECENT_SECONDS
# A request that nobody waits for any more may still block Node, until Node is killed, or fill its memory.
GIVEN_UP_SECONDS = 2 * (LIMITS["interrupt_after_ms"] + LIMITS["kill_after_ms"]) / 1000
# More of these are not kept: the oldest go first.
MOST_OVER = 5_000
# More visitors are not named in one line of the log.
MOST_NAMED = 3
_SALT = secrets.token_hex(8)


@attr.s(slots=True, auto_attribs=True, eq=False)
class WebVisit:
    """A web request that Node has got."""

    module: str
    path: str
    visitor: str
    # When it was sent.
    since: float
    # Until when it may be what has ended Node.
    until: float = inf


class _End(NamedTuple):
    at: float
    visitors: Collection[str]


class _Refused(NamedTuple):
    module: str
    path: str
    # None: all of them.
    visitor: str | None


class RefusedPath(NamedTuple):
    """A path that is not served."""

    # For the admin.
    id: str
    module: str
    path: str
    # None: to nobody.
    visitor: str | None
    # On the clock of `WebPaths`.
    until: float


class WebPaths:
    """Knows the web requests of a bridge that may have ended Node. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._under_way: set[WebVisit] = set()
        # Those that were answered, and those that were given up, apart: answers are many, and must not push out others.
        self._answered: deque[WebVisit] = deque(maxlen=MOST_OVER)
        self._given_up: deque[WebVisit] = deque(maxlen=MOST_OVER)
        # By module and path.
        self._ends: dict[tuple[str, str], deque[_End]] = {}
        # Until when.
        self._refused: dict[_Refused, float] = {}
        # What the last end has added, in case somebody else is found to have caused it.
        self._noted_last: list[deque[_End]] = []
        self._refused_last: list[_Refused] = []

    def refuses(self, module: str, path: str, visitor: str) -> bool:
        """Whether this path is not to be served to this visitor."""
        return bool(self._refused) and any(self._lasts(_Refused(module, path, who)) for who in (None, visitor))

    def _lasts(self, refused: _Refused) -> bool:
        until = self._refused.get(refused)
        if until is not None and until <= self._now():
            del self._refused[refused]
            return False
        return until is not None

    def began(self, module: str, path: str, visitor: str) -> WebVisit:
        """Node gets a request."""
        visit = WebVisit(module, path, visitor, self._now())
        self._under_way.add(visit)
        return visit

    def over(self, visit: WebVisit, *, is_answered: bool) -> None:
        """Nobody waits for it any more."""
        if visit in self._under_way:
            self._under_way.remove(visit)
            visit.until = self._now() + (ANSWERED_SECONDS if is_answered else GIVEN_UP_SECONDS)
            (self._answered if is_answered else self._given_up).append(visit)

    def take(self, ended: Collection[str], concerned: Collection[str]) -> Sequence[WebVisit]:
        """The requests of the modules `concerned` that may be the cause of an end.

        `ended` are all modules whose thread, or Node, has ended: their requests are forgotten.
        """
        now = self._now()
        known = [*self._under_way, *self._answered, *self._given_up]
        self._under_way = {visit for visit in self._under_way if visit.module not in ended}
        self._answered, self._given_up = (
            deque((visit for visit in over if visit.module not in ended), MOST_OVER)
            for over in (self._answered, self._given_up)
        )
        return [visit for visit in known if visit.module in concerned and visit.until > now]

    def note(self, visits: Sequence[WebVisit]) -> bool:
        """These may have caused an end. Returns whether a path is refused from now on. Tells the log."""
        now = self._now()
        visitors: dict[tuple[str, str], set[str]] = {}
        for visit in visits:
            visitors.setdefault((visit.module, visit.path), set()).add(visit.visitor)
        self._noted_last, self._refused_last = [], []
        for path, present in visitors.items():
            ends = self._ends.setdefault(path, deque(maxlen=ENDS_OF_A_PATH))
            ends.append(_End(now, present))
            self._noted_last.append(ends)
            self._judge(path, [end for end in ends if now - end.at < WITHIN_SECONDS])
        return bool(self._refused_last)

    def _judge(self, path: tuple[str, str], ends: Sequence[_End]) -> None:
        """Refuses a path, or the visitors who were there often enough, after these ends."""
        if self._lasts(_Refused(*path, None)):
            return
        if len(ends) >= ENDS_OF_A_PATH:
            self._refuse([_Refused(*path, None)], "anybody", len(ends))
            return
        often = sorted(
            visitor
            for visitor in ends[-1].visitors
            if sum(visitor in end.visitors for end in ends) >= ENDS_OF_A_VISITOR
            and not self._lasts(_Refused(*path, visitor))
        )
        if often:
            more = f" and {len(often) - MOST_NAMED} more" if len(often) > MOST_NAMED else ""
            who = ", ".join(map(one_line, often[:MOST_NAMED])) + more
            self._refuse([_Refused(*path, visitor) for visitor in often], who, len(ends))

    def _refuse(self, refused: Sequence[_Refused], who: str, ends: int) -> None:
        # Nobody may ever ask again for one that has ended.
        self._refused = {one: until for one, until in self._refused.items() if until > self._now()}
        self._refused.update(dict.fromkeys(refused, self._now() + REFUSED_SECONDS))
        self._refused_last += refused
        module, path, _ = refused[0]
        logger.warning(
            "%s does not serve %s to %s for %d min: it was being served %d times when Node, or its thread, ended",
            *(module, path, who, REFUSED_SECONDS // 60, ends),
        )

    def forgive(self) -> None:
        """Something else was found to have caused the last end."""
        for ends in self._noted_last:
            ends.pop()
        for refused in self._refused_last:
            if self._refused.pop(refused, None) is not None:
                logger.warning("%s serves %s again: something else has ended Node", refused.module, refused.path)
        self._noted_last, self._refused_last = [], []

    def by_module(self) -> Mapping[str, int]:
        """By module, how many paths, and visitors of paths, are refused now. Any thread may call it."""
        now = self._now()
        return Counter(refused.module for refused, until in [*self._refused.items()] if until > now)

    def listed(self) -> Sequence[RefusedPath]:
        """The paths that are refused now."""
        return [
            RefusedPath(_id_of(refused), *refused, until)
            for refused, until in [*self._refused.items()]
            if self._lasts(refused)
        ]

    def end(self, id: str) -> bool:
        """Serves the path with this id again, and forgets its past ends. Returns whether there was one."""
        refused = next((refused for refused in [*self._refused] if _id_of(refused) == id), None)
        if refused is None or not self._lasts(refused):
            return False
        del self._refused[refused]
        self._ends.pop((refused.module, refused.path), None)
        logger.warning("%s serves %s again", refused.module, refused.path)
        return True

    def reloaded(self, modules: Collection[str]) -> None:
        """These modules have changed: their past ends no longer count."""
        self._ends = {path: ends for path, ends in self._ends.items() if path[0] not in modules}
        self._refused = {refused: until for refused, until in self._refused.items() if refused.module not in modules}


def _id_of(refused: _Refused) -> str:
    """Tells nothing of the visitor's address to who reads it, since it is mixed with a number of this process."""
    # `repr` escapes what UTF-8 cannot carry.
    return hashlib.sha256(repr((_SALT, *refused)).encode()).hexdigest()[:8]
