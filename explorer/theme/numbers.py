"""How numbers are written on screen: as core writes them in a line of arithmetic."""

from core.numbers import (
    ABOUT,
    INFINITY,
    MINUS,
    THIN_SPACE,
    TIMES,
    format_bytes,
    format_count,
    format_duration,
    format_fixed,
    format_number,
    format_percent,
    format_short,
    format_significant,
)

__all__ = [
    "ABOUT",
    "INFINITY",
    "MINUS",
    "THIN_SPACE",
    "TIMES",
    "format_bytes",
    "format_count",
    "format_duration",
    "format_fixed",
    "format_number",
    "format_percent",
    "format_short",
    "format_significant",
]
