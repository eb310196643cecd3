"""The pipeline of a call: from the callback's arguments to the answer for Synapse.

It answers also while Node is down, and most calls end here without a round trip to Node.
"""
