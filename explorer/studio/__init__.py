"""The program looks at itself: a snapshot of every view, a gallery of widgets, a self-test."""
