"""Names the exit codes of the command `check`, which are like those of diff and grep."""

# No problem; problems; the check could not be made.
SOUND, FAULTY, NOT_LOOKED = 0, 1, 2
