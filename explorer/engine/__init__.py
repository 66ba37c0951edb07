"""The one background thread, on which core computes, and the ways to ask it for work.

Nothing else in the app owns a thread: core's jobs run here cooperatively, each to its next yield.
"""
