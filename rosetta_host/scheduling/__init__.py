"""Runs on other machines: the task, how a machine makes it, and the schedulers that hand runs over."""
