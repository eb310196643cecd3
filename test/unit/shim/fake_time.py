"""A clock that a test sets: to be called, or in the place of the module `time`."""


class Time:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now
