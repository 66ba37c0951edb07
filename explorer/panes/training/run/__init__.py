"""Run: set a run up, watch it learn as live television, replay and branch it."""
