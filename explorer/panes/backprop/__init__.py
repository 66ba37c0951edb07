"""The backprop pane: a formula, a network, a transformer and optimizers, forward and backward."""
