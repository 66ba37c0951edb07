"""Generate: how the next token is chosen."""
