"""Map: the whole model as a drawing that zooms, and the forward pass through it."""
