"""Locked environments, external interpreters, and the processes that run in them."""
