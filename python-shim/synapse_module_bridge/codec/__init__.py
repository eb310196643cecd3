"""Synapse's objects to JSON and back; also `match` and templates, which need no call.

It reads and builds Synapse's objects, and checks what the untrusted host sends.
"""
