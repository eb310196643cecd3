"""How the command `check` ends, as diff and grep have it."""

SOUND, FAULTY, NOT_LOOKED = 0, 1, 2
