"""Step: one optimizer step from the inside."""
