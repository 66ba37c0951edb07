"""Glitches: pieces that a model has hardly ever seen in training."""
