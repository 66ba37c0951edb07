"""Looking into a model that runs, and writing with it.

Read in this order: activations, heads, attention_trace, context, surprise, sampling,
sampling_trace, generation, translation, model_places, usage, hub, loading, exporting.
"""
