"""Hashes a media file, so that the answer cache and the quarantine recognise it, in a thread of Twisted's pool.

Synapse gives every file a new name, also one that it downloads again.
"""

import hashlib

from twisted.internet.threads import deferToThread

from synapse_module_bridge.reactor.deadline import DeadlinePassed
from synapse_module_bridge.schema.protocol import Reason
from synapse_module_bridge.transport.host_interface import Host
from synapse_module_bridge.transport.unavailable import Unavailable

_BLOCK_BYTES = 1024 * 1024


async def media_digest(path: str, host: Host, deadline: float) -> bytes | None:
    """The SHA-256 of the file's content, or None where it cannot be read. Raises Unavailable at the deadline."""
    try:
        # In a thread, since a large file would block the reactor.
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
