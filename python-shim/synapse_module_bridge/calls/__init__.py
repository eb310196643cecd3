"""One question of Synapse while it is being answered, and the record of what was decided."""
