"""The commands `check`, which checks a homeserver.yaml, and `mode`, which sets a module's mode.

They read homeserver.yaml with Synapse's own parser, and know what Synapse would make of it.
"""
