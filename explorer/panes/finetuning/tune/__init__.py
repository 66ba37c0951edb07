"""Tune: what fine-tuning teaches, and what it makes a model forget."""
