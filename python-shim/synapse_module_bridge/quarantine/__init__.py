"""Finds the call that has crashed or hung Node, and sets its author aside, so that all other calls are judged.

It outlives the Node that a call has ended, and asks the next one.
"""
