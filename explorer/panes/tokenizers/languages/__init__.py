"""Languages: how many tokens the same text takes in each language, compared with English."""
