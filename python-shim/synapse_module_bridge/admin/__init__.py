"""The admin API over HTTP, and the status and the gauges of this process.

It answers while Node is down, and Synapse's own functions say who is an admin.
"""
