"""What a person explores, one folder a pane: specs.py lists them."""
