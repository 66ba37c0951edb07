"""The steps from a prompt to the next token."""
