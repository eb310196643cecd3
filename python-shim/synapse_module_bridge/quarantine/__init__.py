"""Finds the call that has ended Node, and sets its author aside; all others are judged.

It outlives the Node that a call has ended, and asks the next one.
"""
