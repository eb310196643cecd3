"""The handshake with a new host: `initialize`, and its answer: what the modules declare, or what is wrong with them."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from synapse_module_bridge.catalogue import CALLBACKS
from synapse_module_bridge.child import Child
from synapse_module_bridge.deadline import DeadlinePassed, add_deadline
from synapse_module_bridge.faults import Fault, Faults, faults_from_host
from synapse_module_bridge.rpc import RpcError
from synapse_module_bridge.wire import BrokenStream


def shake_hands(child: Child, initialize: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
    """Blocks, while Synapse starts. Raises Fault."""
    try:
        manifest = child.wait_for(child.rpc.request("initialize", initialize), timeout)
    except TimeoutError:
        raise _too_slow(timeout) from None
    except ChildProcessError as e:
        raise Fault(None, f"the module host ended while it loaded the modules ({e}); the log says more") from None
    except BrokenStream as e:
        raise Fault(None, f"the module host does not speak the protocol: {e}") from None
    except RpcError as e:
        raise Fault(None, f"the module host refused to start: {e.message}") from None
    return _declared(child, manifest)


def greet(child: Child, initialize: Mapping[str, Any], timeout: float, clock: Any) -> "Deferred[Mapping[str, Any]]":
    """The same while the reactor turns."""
    greeting = child.rpc.request("initialize", initialize)
    add_deadline(greeting, timeout, clock)

    def failed(failure: Failure) -> Failure:
        return Failure(_too_slow(timeout)) if failure.check(DeadlinePassed) else failure

    greeting.addCallbacks(lambda manifest: _declared(child, manifest), failed)
    return greeting


def _too_slow(timeout: float) -> Fault:
    return Fault(
        ("start_timeout",),
        f"the modules were not loaded within {timeout:g} s: does one wait at its top level? "
        "Move the work into `setup`, or raise start_timeout",
    )


def _declared(child: Child, manifest: Any) -> Mapping[str, Any]:
    declared = checked(manifest)
    child.modules = declared["modules"]
    return declared


def checked(manifest: Any) -> Mapping[str, Any]:
    """Raises Fault or Faults."""
    if not isinstance(manifest, dict):
        raise Fault(None, "the module host's answer to initialize is not an object")
    faults = faults_from_host(manifest.get("faults"))
    if faults:
        raise faults[0] if len(faults) == 1 else Faults(faults)
    modules = manifest.get("modules")
    if not isinstance(modules, list) or not all(map(_is_module, modules)):
        raise Fault(None, "the module host's answer to initialize does not declare its modules")
    return manifest


def _is_module(module: Any) -> bool:
    return (
        isinstance(module, dict)
        and isinstance(module.get("name"), str)
        and isinstance(module.get("callbacks"), dict)
        and all(name in CALLBACKS and _is_entry(name, entry) for name, entry in module["callbacks"].items())
        and _are_texts(module.get("web_resources"))
        and _are_texts(module.get("files", []))
    )


def _is_entry(name: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or not CALLBACKS[name].listed:
        return isinstance(entry, dict)
    checkers = entry.get("checkers")
    return isinstance(checkers, list) and all(map(_is_checker, checkers))


def _is_checker(checker: Any) -> bool:
    return (
        isinstance(checker, dict) and isinstance(checker.get("login_type"), str) and _are_texts(checker.get("fields"))
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
