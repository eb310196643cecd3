"""The way of a call: from the callback's arguments to the answer that Synapse takes.

It answers also while Node is down, and most calls end here without a round trip to Node.
"""
