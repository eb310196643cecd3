"""Defines the exception that makes a call choose again which of its remaining modules are asked."""


class AskAgain(Exception):
    """While the call waited, its author was set aside or suspected, or the suspicion has ended."""
