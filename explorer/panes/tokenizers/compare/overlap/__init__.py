"""Overlap: the pieces that each pair of vocabularies shares."""
