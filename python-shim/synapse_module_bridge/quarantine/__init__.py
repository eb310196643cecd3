"""Finds the call that has ended Node, and sets its author aside; all others are judged."""
