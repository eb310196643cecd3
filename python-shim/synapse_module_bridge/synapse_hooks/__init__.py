"""What Synapse calls: the registered callbacks, logins, background updates, presence and web resources.

Synapse calls Python functions and renders Twisted resources; it compares their answers with its own objects.
"""
