"""The training pane: a run, and what happens inside it."""
