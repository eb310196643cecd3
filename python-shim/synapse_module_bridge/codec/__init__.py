"""Synapse's objects to JSON and back, and what the catalogue lets be decided without a call.

It reads and builds Synapse's objects, and checks what the untrusted host sends.
"""
