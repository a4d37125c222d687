"""Timed runs: their plan, their processes and records; paired timing; floating-point operations."""
