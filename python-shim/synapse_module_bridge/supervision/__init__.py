"""Keeps one host running: handshake, watchdog, restart, reload, and what was accepted last."""
