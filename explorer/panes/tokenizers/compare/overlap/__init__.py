"""Overlap: the pieces that every two vocabularies share."""
