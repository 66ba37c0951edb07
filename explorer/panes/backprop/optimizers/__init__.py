"""Optimizers: several optimizers race on a surface, and each of their steps can be examined."""
