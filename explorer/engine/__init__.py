"""The one background thread on which core computes, and what asks it.

Nothing else in the app owns a thread: core's jobs run here cooperatively, each to its next yield.
"""
