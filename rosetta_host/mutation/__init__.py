"""Mutation testing of the certificate: deliberate errors in the examples, each of which it must catch."""
