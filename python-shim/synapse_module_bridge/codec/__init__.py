"""Synapse's objects to JSON and back, and what the catalogue lets be decided without a call."""
