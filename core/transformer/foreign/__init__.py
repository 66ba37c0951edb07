"""Models of other programs: read into a GPT, and written for them.

Read in this order: families (what they call their settings and tensors), settings, parts, sources,
reading, writing.
"""
