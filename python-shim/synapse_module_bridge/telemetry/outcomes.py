"""Names what a decision comes to, as in the log and as a label of metrics."""

from collections.abc import Mapping

# Of a module that decides, and the same of a shadow module.
WOULD: Mapping[str, str] = {
    "allowed": "would_allow",
    "answered": "would_answer",
    "refused": "would_refuse",
    "replaced": "would_replace",
    "edited": "would_edit",
    "error": "would_error",
    "fault": "would_fault",
    "policy": "would_policy",
}


def both(*outcomes: str) -> frozenset[str]:
    """These outcomes, and the same of a shadow module."""
    return frozenset({*outcomes, *(WOULD[outcome] for outcome in outcomes)})


# A module objected.
REFUSALS = both("refused", "replaced", "edited")
# A module failed or threw a SynapseError, or policy answered in its place.
ERRORS = both("error", "fault", "policy")
