"""Network: a small network in training, and the path of one point through it."""
