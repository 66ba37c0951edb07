"""Looking into a model that runs, and writing with it.

Read in this order: activations, heads, attention_trace, interventions, context, surprise,
sampling, sampling_trace, generation, forward_outline, forward_trace, model_places, usage, hub,
loading, exporting.
"""
