"""A Jaeger agent for tests: prints its UDP port, then each span that it is sent as a line of JSON."""

import importlib
import json
import socket
from typing import Any

# Only where these packages are installed: see packages.txt.
thrift: Any = importlib.import_module("thrift.protocol.TCompactProtocol")
transport: Any = importlib.import_module("thrift.transport.TTransport")
agent: Any = importlib.import_module("jaeger_client.thrift_gen.agent.Agent")
jaeger: Any = importlib.import_module("jaeger_client.thrift_gen.jaeger.ttypes")

VALUES = {
    jaeger.TagType.STRING: "vStr",
    jaeger.TagType.DOUBLE: "vDouble",
    jaeger.TagType.BOOL: "vBool",
    jaeger.TagType.LONG: "vLong",
    jaeger.TagType.BINARY: "vBinary",
}


def spans(datagram: bytes) -> Any:
    protocol = thrift.TCompactProtocol(transport.TMemoryBuffer(datagram))
    protocol.readMessageBegin()
    arguments = agent.emitBatch_args()
    arguments.read(protocol)
    return arguments.batch.spans


def plain(span: Any) -> dict[str, Any]:
    return {
        "id": str(span.spanId),
        "trace": f"{span.traceIdHigh}/{span.traceIdLow}",
        "parent": str(span.parentSpanId),
        "name": span.operationName,
        "tags": {tag.key: getattr(tag, VALUES[tag.vType]) for tag in span.tags or []},
    }


agent_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
agent_socket.bind(("127.0.0.1", 0))
print(agent_socket.getsockname()[1], flush=True)
while True:
    for span in spans(agent_socket.recv(65_536)):
        print(json.dumps(plain(span)), flush=True)
