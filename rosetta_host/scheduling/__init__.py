"""Runs on other machines: what one is told, how it makes the run, and the schedulers that hand runs over."""
