"""The mode Step: one optimizer step from the inside."""
