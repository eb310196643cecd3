"""The command `synapse-module-bridge check`, and what it tells about a homeserver.yaml.

It reads homeserver.yaml with Synapse's own parser, and looks at it with the code that starts the bridge in Synapse.
"""
