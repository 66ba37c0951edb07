"""Checks of the whole program: a snapshot of every view, a gallery of widgets, a self-test."""
