"""Defines the exception that makes a call go on from its remaining modules, with a new choice of whom to ask."""


class AskAgain(Exception):
    """While the call waited, its author was set aside or suspected, or the suspicion has ended."""
