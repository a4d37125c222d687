"""What a run, a certificate or a measurement leaves: its schema, its files, and the digests that it holds for."""
