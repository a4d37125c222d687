"""The host's side: catalog, oracle, certificate, sweep. Runs on the current Python and may use libraries."""
