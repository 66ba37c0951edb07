"""Try: how much of what was learned does a person want?"""
