"""The attention pane: every head of a model on a text, and one query's attention step by step."""
