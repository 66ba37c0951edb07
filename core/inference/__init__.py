"""Looking into a model that runs: captured activations, head scores, the attention trace,
generation, loading.
"""
