"""Expression: a typed formula as a graph, its values forward and its gradients backward."""
