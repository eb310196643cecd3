"""What Synapse calls: the registered callbacks, logins, background updates, presence and web resources."""
