"""The wire: JSON-RPC 2.0 over pipes, its frames, its requests and their deadlines.

It is Synapse's end of the pipes, on Twisted's reactor, and trusts nothing that arrives.
"""
