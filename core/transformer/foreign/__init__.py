"""Models of other programs: read as a GPT, and written for those programs.

Read in this order: families (their names for settings and tensors), settings, parts, sources,
reading, writing.
"""
