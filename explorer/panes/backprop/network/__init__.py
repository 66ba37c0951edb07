"""Network: a small network that learns before one's eyes, and one sample's way through it."""
