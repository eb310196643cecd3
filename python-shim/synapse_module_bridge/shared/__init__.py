"""What the processes of a deployment share in Synapse's database: the modules' modes, and requests for a reload.

A process may run on another machine, or run no Node: only the database is common to all of them.
"""
