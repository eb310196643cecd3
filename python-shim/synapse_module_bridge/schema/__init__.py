"""The declarations that both sides share: the catalogue and the protocol; and how startup problems are reported.

The shim needs the declarations before Node runs, to check what Node sends.
"""
