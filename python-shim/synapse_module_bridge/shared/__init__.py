"""What the processes of a deployment share in Synapse's database: modes, reloads, statuses, decisions.

A process may run on another machine, or run no Node: only the database is common to all of them.
"""
