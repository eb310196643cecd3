"""The command `synapse-module-bridge check`, which checks a homeserver.yaml.

It reads homeserver.yaml with Synapse's own parser, and looks at it with the code that starts the bridge in Synapse.
"""
