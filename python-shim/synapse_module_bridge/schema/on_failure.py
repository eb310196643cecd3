"""What an admin may set that is answered when the modules cannot: `on_failure`."""

import attr

from synapse_module_bridge.schema.catalogue import Callback


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class OnFailure:
    """What an admin has set: `allow`, `deny`, `defer`, or None for the callback's own default."""

    local: str | None = None
    federated: str | None = None

    def for_call(self, local: bool) -> str | None:
        return self.local if local else self.federated


def expressible(callback: Callback) -> list[str]:
    """The policies that this callback can tell Synapse."""
    return [policy for policy in ("allow", "deny", "defer") if policy in callback.on_failure]
