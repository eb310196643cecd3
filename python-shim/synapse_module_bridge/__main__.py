"""The command `synapse-module-bridge`: runs the built host's command with the Node that the shim would find."""

import os
import sys

from synapse_module_bridge.catalogue import HOST_FOLDER
from synapse_module_bridge.faults import Fault
from synapse_module_bridge.node import check_version, find_node


def main() -> None:
    try:
        node = find_node(None)
        check_version(node)
    except Fault as e:
        sys.exit(f"synapse-module-bridge: {e.message}")
    os.execv(node, [node, str(HOST_FOLDER / "cli.mjs"), *sys.argv[1:]])


if __name__ == "__main__":
    main()
