"""Looking into a model that runs, and writing with it.

Read in this order: capture_memory, activations, indices, heads, head_comparison, attention_trace,
logit_lens, attribution, lens_trace, context, surprise, interventions, explanation, sampling,
sampling_trace, generation, text_tree, forward_outline, forward_trace, beam_search,
beam_search_trace, few_shot, translation, translation_trace, alignment, model_places, usage,
chat_template, chat, hub, loading, exporting.
"""
