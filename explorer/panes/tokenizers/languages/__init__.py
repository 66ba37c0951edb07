"""Languages: the number of tokens of the same text in each language, relative to English."""
