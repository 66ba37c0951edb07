"""What several modes say."""

from __future__ import annotations


def too_long(size: int, longest: int) -> str:
    """What is said of a text that was cut."""
    return f"That would be {size:,} characters; only the first {longest:,} are used"
