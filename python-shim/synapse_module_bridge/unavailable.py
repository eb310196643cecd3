"""Why a call cannot be answered by a module."""


class Unavailable(Exception):
    """No answer can be had, for this reason: deadline, down, overload, ..."""
