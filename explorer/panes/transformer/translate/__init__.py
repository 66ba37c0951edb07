"""Translate: an encoder reads one text, and a decoder writes another."""
