"""Who is asked: the routing table that the modules' declarations make, and where a question comes from.

A call that no module wants costs no round trip, and the tables stay in force while Node is replaced.
"""
