"""What training costs, worked out before it starts: one idea a file, every formula with its source.

Reading order: memory, activations, communication, pipeline, flops, components, devices,
scaling_law; plan puts them together for a model on a cluster, plan_trace plays the sum term by
term, step_timeline a step of each strategy, strategy_step that of a run's model; report writes a
table, and command prints that (`python -m core.training --estimate`).
`core.training.sizes` is the estimate of a run on this machine. Nothing here loads torch, allocates
or measures anything.
"""
