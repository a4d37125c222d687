"""The frameworks, as examples/*/framework.toml declares them. Imports nothing of the host."""
