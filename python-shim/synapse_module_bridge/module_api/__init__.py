"""What the host asks of Synapse: the methods of the ModuleApi, allowed by `schemas/api.json`."""
