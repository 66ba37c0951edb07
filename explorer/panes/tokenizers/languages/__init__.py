"""The mode Languages: what the same content costs in every language, against English."""
