"""Protects Node and stands in for it: backpressure, circuit breakers, the answer cache, the failure policy.

It decides while Node is down, slow or overloaded.
"""
