"""Keeps one host running: handshake, watchdog, restart, reload, and what was accepted last.

It works while Node starts, hangs or is dead.
"""
