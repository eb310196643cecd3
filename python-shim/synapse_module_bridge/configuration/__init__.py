"""What an admin has written in homeserver.yaml: read as Synapse reads it, and checked."""
