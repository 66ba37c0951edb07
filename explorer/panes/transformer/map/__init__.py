"""Map: the whole model as a zoomable drawing, with the forward pass through it."""
