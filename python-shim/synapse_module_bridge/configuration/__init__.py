"""What an admin has written in homeserver.yaml: read as Synapse reads it, and checked.

Synapse asks for it before there is a Node, and its own parser decides what the YAML means.
"""
