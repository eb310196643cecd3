"""One question of Synapse while it is being answered, its way to the host, and the record of the decision.

A call outlives the Node that it is asked of, and its record goes to Synapse's log, metrics and traces.
"""
