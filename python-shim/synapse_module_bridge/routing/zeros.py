"""Lets all counts of a module's callback begin at 0.

Prometheus sees no increase where a counter appears with its first count already, so an alert would miss that.
"""

from synapse_module_bridge.codec.answer_schema import fits
from synapse_module_bridge.schema.catalogue import TYPES, Callback
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.telemetry import metrics
from synapse_module_bridge.telemetry.module_counts import ModuleCount
from synapse_module_bridge.telemetry.outcomes import WOULD

# Why policy may answer for one module.
_OF_A_MODULE = [reason for reason in Reason if reason not in (Reason.GONE, Reason.QUEUE_FULL)]
# Why it may answer where it is not known which module failed.
_OF_SEVERAL = (Reason.DEADLINE, Reason.DOWN, Reason.HOST_ERROR, Reason.OVERLOAD, Reason.PARAMS, Reason.REPLY)
_DROPPED = (Reason.DEADLINE, Reason.DOWN, Reason.PARAMS, Reason.QUARANTINE, Reason.QUEUE_FULL)


def begin(callback: Callback, module: str, server_name: str, *, shadow: bool) -> ModuleCount:
    """Begins the counts of this module's callback. Counts that have begun stay as they are."""

    def calls(module: str, outcome: str, reason: str = "") -> None:
        metrics.CALLS.begin(callback.name, module, outcome, reason, server_name)

    metrics.SECONDS.begin(callback.name, server_name)
    outcomes = () if callback.notify else (*_outcomes(callback), "error", "fault")
    if shadow:
        for outcome in ("allowed", *outcomes):
            if outcome in WOULD:
                calls(module, WOULD[outcome])
    else:
        calls("", "allowed")
        for outcome in outcomes:
            calls(module, outcome)
        for reason in _OF_SEVERAL:
            calls("", "policy", reason)
    for reason in _OF_A_MODULE:
        calls(module, "would_policy" if shadow else "policy", reason)
    for reason in _DROPPED if callback.notify else ():
        metrics.DROPPED.labels(callback.name, reason, server_name)
    return metrics.MODULES.begin(module, callback.name, server_name)


def _outcomes(callback: Callback) -> list[str]:
    """What an answer of a module may come to, as `decision.summarise` has it."""
    if callback.result == "Edits":
        return ["edited"]
    left = ["left"] if callback.passed_on else []
    refuses = TYPES[callback.result].get("refuses")
    verdicts = ["refused"] if refuses is None or refuses else []
    if refuses is None and fits(callback.result, {"content": {}}):
        verdicts.append("replaced")
    return [*verdicts, *left, *([] if refuses is None else ["answered"])]
