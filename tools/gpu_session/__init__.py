"""Measures on a GPU machine that has no network, its own Python, and little time.

`prepare` collects what that machine lacks; `run` certifies and benchmarks there, the most valuable first, and keeps
each record as soon as it is there.
"""
