"""Tune: what a fine-tuning learns, and what it forgets."""
