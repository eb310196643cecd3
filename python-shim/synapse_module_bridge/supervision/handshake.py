"""Performs the handshake with a new host: `initialize`, and its answer, which is checked, since the host is untrusted.

The answer (the manifest) has the modules' declarations, or the problems that keep them from being loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.process.child import Child
from synapse_module_bridge.process.host_limits import find_limit, find_limit_of_start, too_few_threads
from synapse_module_bridge.reactor.deadline import DeadlinePassed, add_deadline
from synapse_module_bridge.schema.catalogue import CALLBACKS
from synapse_module_bridge.schema.protocol import CAUSES, fits, method_name
from synapse_module_bridge.schema.startup_problems import Path, StartupProblem, StartupProblems
from synapse_module_bridge.telemetry.log_text import one_line
from synapse_module_bridge.transport.framing import BrokenStream
from synapse_module_bridge.transport.rpc import RpcError

_INITIALIZE = method_name("initialize")

# Why a host is started. `start`: Synapse starts. `restart`: the host has ended, and a new one runs what was accepted
# last. `reload`: a new host runs what lies on disk now, and replaces the present one.
Occasion = Literal["start", "restart", "reload"]
# Returns the parameters of `initialize`. Raises StartupProblem.
Initialize = Callable[[Occasion], Mapping[str, Any]]


def shake_hands(child: Child, initialize: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
    """Sends `initialize` and returns the manifest. Blocks for at most `timeout` seconds. Raises StartupProblem."""
    return _declared(child, _ask(child, initialize, timeout))


def examine(
    child: Child, initialize: Mapping[str, Any], timeout: float
) -> tuple[dict[int, Mapping[str, Any]], Sequence[StartupProblem], Sequence[StartupProblem]]:
    """As `shake_hands`, for the command `check`: returns the sound modules, by their place, and all problems.

    Those of modules that are off come last, since they stop nothing.
    """
    try:
        manifest = _ask(child, initialize, timeout)
    except StartupProblem as e:
        return {}, [e], []
    faults: Sequence[StartupProblem] = []
    try:
        checked(manifest)
    except StartupProblem as e:
        faults = e.faults if isinstance(e, StartupProblems) else [e]
    modules = manifest.get("modules") if isinstance(manifest, dict) else None
    sound = {module["name"]: module for module in modules or () if _is_module(module)}
    broken = faults_from_host(manifest.get("broken", [])) if isinstance(manifest, dict) else []
    return {index: sound[name] for index, name in child.begun.items() if name in sound}, faults, broken


def _ask(child: Child, initialize: Mapping[str, Any], timeout: float) -> Any:
    try:
        return child.wait_for(child.rpc.request(_INITIALIZE, initialize), timeout)
    except TimeoutError:
        raise _too_slow(child, timeout, initialize) from None
    except ChildProcessError as e:
        raise _ended(child, str(e), initialize) from None
    except BrokenStream as e:
        raise StartupProblem(None, f"the module host does not speak the protocol: {e}") from None
    except RpcError as e:
        raise StartupProblem(None, f"the module host refused to start: {e.message}") from None


def cannot_start(command: Sequence[str], error: OSError) -> StartupProblem:
    """The problem of a process that could not be started."""
    if limit := find_limit_of_start(error):
        return StartupProblem(None, limit)
    return StartupProblem(("node",), f"cannot start {command[0]}: {error.strerror}")


def greet(
    child: Child, initialize: Mapping[str, Any], timeout: float, clock: Any, some_will_do: bool = False
) -> "Deferred[Mapping[str, Any]]":
    """As `shake_hands`, on the reactor. The Deferred also fails with what `Rpc.request` fails with.

    With `some_will_do`, a manifest is accepted that lacks modules; its `faults` say why.
    """
    greeting = child.rpc.request(_INITIALIZE, initialize)
    add_deadline(greeting, timeout, clock)

    def failed(failure: Failure) -> Failure:
        return Failure(_too_slow(child, timeout, initialize)) if failure.check(DeadlinePassed) else failure

    greeting.addCallbacks(lambda manifest: _declared(child, manifest, some_will_do), failed)
    return greeting


def _too_slow(child: Child, timeout: float, initialize: Mapping[str, Any]) -> StartupProblem:
    if child.loading is None:
        silent = f"the module host has said nothing within {timeout:g} s"
        return StartupProblem(("start_timeout",), f"{silent}: {too_few_threads() or 'is the machine busy?'}")
    path, file = _loading(child.loading, initialize)
    return StartupProblem(
        path,
        f"{file}: was not loaded within {timeout:g} s: does it wait, or compute for long, at its top level? "
        "Move the work into `setup`, or raise start_timeout",
    )


def _ended(child: Child, cause: str, initialize: Mapping[str, Any]) -> StartupProblem:
    limit = find_limit(cause, child.last_lines)
    if limit is not None:
        return StartupProblem(None, f"{limit} (Node ended: {cause})")
    if child.loading is None:
        said = f": {one_line(child.last_lines[-1])}" if child.last_lines else ""
        return StartupProblem(None, f"the module host ended before it loaded a module ({cause}){said}")
    path, file = _loading(child.loading, initialize)
    return StartupProblem(path, f"{file}: Node ended while it loaded this module ({cause}){_remedy(cause)}")


def _remedy(cause: str) -> str:
    if cause.startswith(("exit code ", CAUSES["exit"])):
        return ": a module must not call process.exit; it throws an error to stop the start"
    if cause == CAUSES["memory"]:
        return ": raise `memory`, or load less at its top level"
    return "; the log says more"


def _loading(loading: tuple[int, str], initialize: Mapping[str, Any]) -> tuple[Path, str]:
    """The place in the configuration of a module that is being loaded, and its file."""
    index, name = loading
    modules = initialize.get("modules", ())
    file = modules[index]["path"] if 0 <= index < len(modules) else name
    return ("modules", index, "path"), file


def _declared(child: Child, manifest: Any, some_will_do: bool = False) -> Mapping[str, Any]:
    declared = checked(manifest, some_will_do)
    child.modules = declared["modules"]
    child.loading = None
    return declared


def checked(manifest: Any, some_will_do: bool = False) -> Mapping[str, Any]:
    """The manifest, where it is valid and reports no problem. Raises StartupProblem or StartupProblems.

    `some_will_do` is as for `greet`.
    """
    if not isinstance(manifest, dict):
        raise StartupProblem(None, "the module host's answer to initialize is not an object")
    faults = faults_from_host(manifest.get("faults"))
    modules = manifest.get("modules")
    are_modules = isinstance(modules, list) and all(map(_is_module, modules))
    if faults and not (some_will_do and are_modules and modules and all(map(_is_of_a_module, faults))):
        raise faults[0] if len(faults) == 1 else StartupProblems(faults)
    if not are_modules:
        raise StartupProblem(None, "the module host's answer to initialize does not declare its modules")
    return manifest


def _is_of_a_module(fault: StartupProblem) -> bool:
    return fault.path is not None and fault.path[:1] == ("modules",) and len(fault.path) > 1


def _is_module(module: Any) -> bool:
    return fits("DeclaredModule", module) and all(
        name in CALLBACKS and ("checkers" in entry or not CALLBACKS[name].listed)
        for name, entry in module["callbacks"].items()
    )


def faults_from_host(listed: Any) -> list[StartupProblem]:
    """The problems that the host reports in its answer to `initialize`. A malformed list is a problem, too."""
    if not isinstance(listed, list):
        return [StartupProblem(None, "the host's answer to initialize has no list of faults")]
    if not fits("StartupProblems", listed):
        return [StartupProblem(None, "the host's answer to initialize has a list of faults that cannot be read")]
    return [StartupProblem(tuple(fault["path"]), fault["message"]) for fault in listed]
