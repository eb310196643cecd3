"""The admin API: what admins see and change over HTTP while Synapse runs."""
