"""Glue to Twisted's reactor and to Synapse's log contexts: timers, deadlines, work in the background."""
