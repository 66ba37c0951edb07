"""Optimizers: any set of them race on a surface, and each of their steps is taken apart."""
