"""Running a model, inspecting it, and generating text with it.

Read in this order: capture_memory, activations, encoder_decoder_activations, indices, heads,
head_comparison, minimal_pair, sampling, logit_lens, surprise, interventions, attribution,
logit_change, outline_parts, forward_outline, attention_trace, lens_trace, context, sampling_trace,
sampling_table, stop_strings, generation, explanation, text_tree, forward_trace, beam_search,
beam_search_trace, translation, translation_trace, alignment, model_places, usage, chat_template,
hub, loading, few_shot, chat, exporting.
"""
