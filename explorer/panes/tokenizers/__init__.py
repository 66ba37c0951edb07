"""The tokenizers pane with its modes Compare, Train, Inside and Languages."""
