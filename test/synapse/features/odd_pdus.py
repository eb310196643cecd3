"""Another homeserver whose users choose what its events have beside their content: nothing keeps a server from that.

A content's `org.example.pdu` holds the fields: they are put into the event itself before it is hashed and signed.
"""

from typing import Any

from synapse.events import builder
from synapse.events.validator import EventValidator
from synapse.module_api import ModuleApi

FIELD = "org.example.pdu"


class OddPdus:
    def __init__(self, config: Any, api: ModuleApi) -> None:
        original = builder.create_local_event_from_event_dict

        def create(*args: Any, **kwargs: Any) -> Any:
            pdu = kwargs["event_dict"]
            content = {**pdu["content"]}
            fields = content.pop(FIELD, {})
            return original(*args, **{**kwargs, "event_dict": {**pdu, "content": content, **fields}})

        builder.create_local_event_from_event_dict = create
        # Nor does it look whether they make sense.
        for check in ("validate_new", "validate_builder"):
            setattr(EventValidator, check, lambda *_: None)
