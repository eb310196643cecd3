"""Answers the requests of the admin API about what was decided: decisions, shadow reports and hourly counters."""

import logging
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from synapse_module_bridge.admin.questions import Question
from synapse_module_bridge.admin.refused import unfit
from synapse_module_bridge.shared.decisions import Decisions, Filters
from synapse_module_bridge.shared.hourly import Hourly
from synapse_module_bridge.telemetry.log_text import one_line

logger = logging.getLogger("synapse_module_bridge.admin")


class DecisionEndpoints:
    """Works in every process, also where no Node runs."""

    def __init__(self, api: ModuleApi) -> None:
        self._decisions = Decisions(api)
        self._hourly = Hourly(api)
        # By the names of `ENDPOINTS`.
        self.handlers = {
            "get_decisions": self._find,
            "delete_decisions": self._erase,
            "get_shadow": self._shadow,
            "get_counters": self._counters,
        }

    async def _find(self, question: Question) -> Mapping[str, Any]:
        given = {"from_" if name == "from" else name: value for name, value in question.query.items()}
        try:
            decisions, more = await self._decisions.find(Filters(**given))
        except ValueError as e:
            raise unfit(str(e)) from None
        return {"decisions": decisions, **({} if more is None else {"next": more})}

    async def _erase(self, question: Question) -> Mapping[str, Any]:
        user = question.query["user"]
        erased = await self._decisions.erase(user)
        logger.info("%s erased %d decisions about %s", question.admin, erased, one_line(user))
        return {"erased": erased}

    async def _shadow(self, question: Question) -> Mapping[str, Any]:
        since = question.query["since"]
        return {"since": since, "modules": await self._decisions.shadow(since)}

    async def _counters(self, question: Question) -> Mapping[str, Any]:
        since = question.query["since"]
        return {"hours": await self._hourly.counters(since, question.query.get("module"))}
