"""What the logistic regression needs of a framework's defaults."""

from rosetta_host.defaults.needs import DENSE, LOSS, WorkloadDefaults

defaults = WorkloadDefaults(needs={"init_model": {**LOSS, **DENSE}})
