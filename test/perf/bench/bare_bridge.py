"""The least that a bridge can be: it sends each question to Node as a line of JSON-RPC, and gives back the answer.

It has no deadline, and survives no fault. What the real bridge costs beyond it is the price of what it can do.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from synapse.events import EventBase
from synapse.logging.context import PreserveLoggingContext
from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import Codes
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol


class BareBridge(ProcessProtocol):
    def __init__(self, config: Any, api: ModuleApi) -> None:
        self._waiting: dict[int, Deferred[str]] = {}
        self._last_id = 0
        self._rest = b""
        command = [shutil.which("node"), str(Path(__file__).with_name("bare-host.mjs"))]
        installed: Any = reactor
        self._process = installed.spawnProcess(self, command[0], command, env=os.environ)
        api.register_spam_checker_callbacks(check_event_for_spam=self.check_event_for_spam)

    async def check_event_for_spam(self, event: EventBase) -> Any:
        self._last_id += 1
        answer = self._waiting[self._last_id] = Deferred()
        question = {"id": self._last_id, "method": "check_event_for_spam", "params": {"event": event.get_dict()}}
        self._process.write(to_json({"jsonrpc": "2.0", **question}) + b"\n")
        with PreserveLoggingContext():
            verdict = await answer
        return NOT_SPAM if verdict == NOT_SPAM else Codes(verdict)

    def outReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        with PreserveLoggingContext():
            for line in lines:
                message = from_json(line)
                self._waiting.pop(message["id"]).callback(message["result"])
