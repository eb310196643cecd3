"""Holds an admin's `on_failure` setting: the policies for the calls that no module answers."""

import attr

from synapse_module_bridge.schema.catalogue import Callback


@attr.s(frozen=True, slots=True, auto_attribs=True, kw_only=True)
class OnFailure:
    """Each is `allow`, `deny`, `defer`, or None where the admin has set nothing."""

    local: str | None = None
    federated: str | None = None

    def for_call(self, local: bool) -> str | None:
        """The setting for a local or a federated call."""
        return self.local if local else self.federated


def expressible(callback: Callback) -> list[str]:
    """The policies for which this callback has an answer."""
    return [policy for policy in ("allow", "deny", "defer") if policy in callback.on_failure]
