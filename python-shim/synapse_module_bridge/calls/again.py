"""What tells a call to begin anew with the modules that it has not heard."""


class AskAgain(Exception):
    """What is asked of whom has changed meanwhile: somebody was set aside, perhaps."""
