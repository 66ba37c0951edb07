"""Estimates of the cost of training before it starts: one idea a file, each formula with its
source.

Reading order: memory, activations, communication, pipeline, flops, components, devices,
scaling_law; plan combines them for a model on a cluster, plan_trace traces the calculation term by
term, step_timeline a step of each strategy, strategy_step that of a run's model; report writes a
table, and command prints it (`python -m core.training --estimate`). `core.training.sizes` estimates
a run on this machine. Nothing here loads torch, allocates or measures anything.
"""
