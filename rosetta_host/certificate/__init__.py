"""The proof that an example computes what the float64 reference computes."""
