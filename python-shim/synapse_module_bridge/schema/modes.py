"""Names the modes of a module, and their order: what a module may do grows from `off` to `enforce`."""

from typing import Literal

# off: it is not there. shadow: it is asked and recorded, and decides nothing. enforce: it decides.
Mode = Literal["off", "shadow", "enforce"]

OFF: Mode = "off"
SHADOW: Mode = "shadow"
ENFORCE: Mode = "enforce"
MODES: tuple[Mode, ...] = (OFF, SHADOW, ENFORCE)


def lesser(one: Mode, other: Mode) -> Mode:
    """The mode in which the module may do less."""
    return min(one, other, key=MODES.index)
