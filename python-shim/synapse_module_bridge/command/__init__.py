"""The command `synapse-module-bridge check`, and what it tells about a homeserver.yaml."""
