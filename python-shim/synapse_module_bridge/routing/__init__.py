"""Which modules are asked: the routing table, built from their declarations, and whether a call is local.

A call that no module wants costs no round trip, and the tables stay in force while Node is replaced.
"""
