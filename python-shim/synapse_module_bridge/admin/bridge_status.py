"""Puts together how one bridge is doing in this process, as `schemas/admin.json` declares it."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from synapse_module_bridge.quarantine.quarantine import Quarantine, SetAside
from synapse_module_bridge.quarantine.web_paths import RefusedPath, WebPaths
from synapse_module_bridge.routing.entry import Entry
from synapse_module_bridge.schema.admin import ADMIN_LIMITS
from synapse_module_bridge.schema.modes import MODES, OFF, Mode
from synapse_module_bridge.supervision.accepted import Accepted
from synapse_module_bridge.supervision.reload import in_thread
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.module_counts import ModuleCount, quantiles_ms

MOST_QUARANTINES = ADMIN_LIMITS["quarantines_listed"]
MOST_PATHS = ADMIN_LIMITS["paths_listed"]
MOST_OF_A_PROBLEM = ADMIN_LIMITS["problem_characters"]
DISK_LOOK_SECONDS = ADMIN_LIMITS["disk_look_ms"] / 1000

# By callback, as the pipeline has them.
Entries = Mapping[str, Sequence[Entry]]


class RunningModules(Protocol):
    """What a bridge knows of its modules, by their names."""

    def mode_of(self, name: str) -> Mode:
        """The mode that is in force in this process."""

    def problem_of(self, name: str) -> str | None:
        """Why a module could not be loaded, or does not have the mode that it should have."""

    def why_restart_needed(self, name: str, mode: Mode) -> str | None:
        """Why a module cannot have this mode before Synapse is restarted, or at all; or None."""


class BridgeStatus:
    """The bridge tells it what happens. `names` are those of its modules, in their order."""

    def __init__(
        self,
        running: RunningModules,
        names: Sequence[str],
        accepted: Accepted,
        quarantine: Quarantine,
        web_paths: WebPaths,
        entries: Callable[[], Entries],
        server_name: str,
    ) -> None:
        self._running = running
        self._names = names
        self._accepted = accepted
        self._quarantine = quarantine
        self._web_paths = web_paths
        self._entries = entries
        self._server_name = server_name
        # Called when something has changed that admins look for.
        self.changed: Callable[[], None] = lambda: None
        # How many decisions were counted and not stored.
        self.decisions_dropped: Callable[[], int] = lambda: 0
        self._up_since_ts: int | None = None
        self._node: str | None = None
        self._restarts = 0
        self._last_end: Mapping[str, Any] | None = None
        # None before the host has said which.
        self._not_set_up: frozenset[str] | None = None
        # By module, the paths that differed at the last look, and when that was, on the monotonic clock.
        self._differing: Mapping[str, Sequence[str]] = {}
        self._looked_at: float | None = None

    def up(self, up: bool) -> None:
        """The host takes calls from now on, or takes none any more."""
        self._up_since_ts = _now() if up else None
        if up:
            self.changed()
        else:
            self._not_set_up = None

    def runs(self, node: str) -> None:
        """A host takes the calls from now on. `node` is the version of its Node."""
        self._node = node
        # Its files were read just now, or are those of before.
        self._looked_at = None

    def ended(self, cause: str) -> None:
        """The host has ended without being asked to."""
        self._restarts += 1
        self._last_end = {"ts": _now(), "cause": cause[:MOST_OF_A_PROBLEM]}
        self.changed()

    def pulse(self, not_set_up: Collection[str]) -> None:
        """The host has said which modules are not set up."""
        before, self._not_set_up = self._not_set_up, frozenset(not_set_up)
        if before != self._not_set_up:
            self.changed()

    def reloaded(self) -> None:
        """A reload is over, whatever became of it: what differs on disk is no longer what it was."""
        self._looked_at = None

    async def look_at_disk(self) -> None:
        """Looks in a thread which files have changed since they were loaded, unless it has looked a moment ago."""
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= DISK_LOOK_SECONDS:
            self._looked_at = now
            self._differing = await in_thread(self._accepted.differing_by_module)

    def as_json(self) -> dict[str, Any]:
        """The part of the process's status that is about this bridge."""
        since = self._up_since_ts
        return {
            "up": since is not None,
            **({} if since is None else {"up_since_ts": since}),
            **({} if self._node is None else {"node": self._node}),
            "restarts": self._restarts,
            **({} if self._last_end is None else {"last_end": self._last_end}),
            "decisions_dropped": self.decisions_dropped(),
            "modules": self._modules(),
        }

    def _modules(self) -> list[dict[str, Any]]:
        held, breakers, counts = self._held(), self._breakers(), self._counts()
        return [
            self._module(name, held.get(name, []), breakers.get(name, []), counts.get(name, {})) for name in self._names
        ]

    def _module(
        self, name: str, held: Sequence[Mapping[str, Any]], breakers: Sequence[str], counts: Mapping[str, Any]
    ) -> dict[str, Any]:
        version, mode = self._accepted.versions.get(name), self._running.mode_of(name)
        problem, more = self._running.problem_of(name), len(held) - MOST_QUARANTINES
        reasons = {one: self._running.why_restart_needed(name, one) for one in MODES if one != mode}
        needed = {one: reason[:MOST_OF_A_PROBLEM] for one, reason in reasons.items() if reason is not None}
        return {
            "name": name,
            "mode": mode,
            "files": "" if version is None else version.files,
            "config": "" if version is None else version.config,
            "setup": self._setup(name, mode),
            **({} if problem is None else {"problem": problem[:MOST_OF_A_PROBLEM]}),
            **({"restart_needed": needed} if needed else {}),
            "differs_on_disk": list(self._differing.get(name, ()))[:MOST_PATHS],
            "breakers": breakers,
            "quarantines": held[:MOST_QUARANTINES],
            **({"quarantines_more": more} if more > 0 else {}),
            "callbacks": counts,
        }

    def _setup(self, name: str, mode: Mode) -> str:
        if mode == OFF:
            return "off"
        if name in self._accepted.missing:
            return "missing"
        return "waiting" if self._not_set_up is None or name in self._not_set_up else "done"

    def _counts(self) -> Mapping[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for (module, callback), count in metrics.MODULES.by_callback(self._server_name).items():
            found.setdefault(module, {})[callback] = _count(count)
        return found

    def _breakers(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for callback, entries in self._entries().items():
            for entry in entries:
                of_module = found.setdefault(entry.module, [])
                if entry.breaker.is_open and callback not in of_module:
                    of_module.append(callback)
        return found

    def _held(self) -> Mapping[str, list[dict[str, Any]]]:
        # Quarantines have the monotonic clock.
        offset = time.time() - time.monotonic()
        found: dict[str, list[dict[str, Any]]] = {}
        for held in self._quarantine.listed():
            found.setdefault(held.module, []).append(_set_aside(held, offset))
        for refused in self._web_paths.listed():
            found.setdefault(refused.module, []).append(_refused(refused, offset))
        return found

    @property
    def holds_any(self) -> bool:
        """Whether anything is in quarantine."""
        return self._quarantine.active or bool(self._web_paths.listed())

    def end_quarantine(self, id: str) -> bool:
        """Ends the quarantine with this id. Returns whether there was one."""
        return self._quarantine.end(id) or self._web_paths.end(id)


def _count(count: ModuleCount) -> dict[str, Any]:
    counts = {"calls": count.calls, "refusals": count.refusals, "errors": count.errors}
    return {**counts, **quantiles_ms(count.buckets)}


def _set_aside(held: SetAside, offset: float) -> dict[str, Any]:
    kind, subject, *room = held.whose
    return {
        "id": held.id,
        "kind": kind,
        # A question has only a hash.
        "subject": held.callback if kind == "question" else subject,
        "callback": held.callback,
        **({"room": room[0]} if kind == "author" and room and room[0] else {}),
        "until": int((held.until + offset) * 1000),
    }


def _refused(refused: RefusedPath, offset: float) -> dict[str, Any]:
    return {
        "id": refused.id,
        "kind": "path",
        "subject": refused.path,
        "for_all": refused.visitor is None,
        "until": int((refused.until + offset) * 1000),
    }


def _now() -> int:
    return int(time.time() * 1000)
