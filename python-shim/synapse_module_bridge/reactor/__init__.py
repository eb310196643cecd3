"""Glue to Twisted's reactor and to Synapse's log contexts: timers, deadlines, work in the background.

The reactor and the log contexts are objects of Synapse's process.
"""
