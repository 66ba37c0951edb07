"""Glitches: the pieces that a model has hardly ever seen in training."""
