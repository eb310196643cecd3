"""Counters for Prometheus, and text and records for the log.

It feeds Synapse's own logging and metrics, also about a Node that is gone.
"""
