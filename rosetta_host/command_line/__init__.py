"""The commands of `python -m rosetta_host`: their options, what they do, and the progress that they show."""
