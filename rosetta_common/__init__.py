"""The language that all examples share: data, hyper-parameters, canonical weights, and the runner.

Everything here but `rosetta_host` runs inside the frameworks' own environments:
Python 3.6 to 3.13, with NumPy alone.
"""
