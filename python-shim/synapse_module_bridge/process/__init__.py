"""One Node process: found, started, read, and ended with all that it has started.

It starts Node, and notices its end, whatever Node does.
"""
