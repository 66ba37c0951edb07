"""Search: the pieces of every vocabulary that match a query."""
