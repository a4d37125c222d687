"""The host's side: catalogue, oracle, certificate, sweep. Runs on the current Python and may use libraries."""
