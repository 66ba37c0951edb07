"""The panes, one folder each; specs.py lists them."""
