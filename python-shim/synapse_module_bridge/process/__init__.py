"""One Node process: found, started, read, and ended with all that it has started."""
