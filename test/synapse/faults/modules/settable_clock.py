"""A module in Python that sets the clock of Synapse's reactor: by as many seconds as a file says."""

import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor


class SettableClock:
    def __init__(self, config: Any, api: Any) -> None:
        file = Path(config["file"])
        installed: Any = reactor
        installed.seconds = lambda: time.time() + float(file.read_text() or 0)
