"""Names the exit codes of the commands, which are like those of diff and grep."""

# No problem; problems; it could not look.
SOUND, FAULTY, NOT_LOOKED = 0, 1, 2
