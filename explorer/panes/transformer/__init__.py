"""The whole way from a prompt to the next token."""
