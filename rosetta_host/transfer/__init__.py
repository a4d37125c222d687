"""Trained weights, moved from each framework to each other."""
