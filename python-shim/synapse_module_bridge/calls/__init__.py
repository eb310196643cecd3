"""One question of Synapse while it is being answered, and the record of what was decided.

A call outlives the Node that it is asked of, and its record goes to Synapse's log, metrics and traces.
"""
