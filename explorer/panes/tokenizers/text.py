"""Texts of several modes."""

from __future__ import annotations


def too_long(size: int, longest: int) -> str:
    """Returns the message about a text that was cut to `longest` characters."""
    return f"That would be {size:,} characters; only the first {longest:,} are used"
