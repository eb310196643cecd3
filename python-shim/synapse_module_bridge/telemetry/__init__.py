"""Counters for Prometheus, and text and records for the log."""
