"""What is declared: the catalogue of callbacks, types and methods, the protocol, and how faults of a start are told.

The shim needs the declarations before Node runs, to check what Node sends.
"""
