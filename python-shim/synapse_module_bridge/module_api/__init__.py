"""What the host asks of Synapse: the methods of the ModuleApi, allowed by `schemas/api.json`.

The methods belong to a Python object in Synapse's process. Grants limit the modules, so Node must not check them.
"""
