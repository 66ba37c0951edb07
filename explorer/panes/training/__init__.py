"""The training pane: a run and its inner workings."""
