"""Tells equal media files by what they hold: Synapse gives each a name of its own, also one that it fetches again."""

import hashlib

from twisted.internet.threads import deferToThread

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

_BLOCK_BYTES = 1024 * 1024


async def media_digest(path: str, host: Host, deadline: float) -> bytes | None:
    """None for a file that cannot be read. Raises Unavailable."""
    try:
        # Of a large file, it would keep Synapse's reactor from its work.
        return await host.within(deferToThread(_digest, path), deadline)
    except DeadlinePassed:
        raise Unavailable(Reason.DEADLINE) from None


def _digest(path: str) -> bytes | None:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError:
        return None
    return digest.digest()
