"""Beams: a search that looks further ahead than one token."""
