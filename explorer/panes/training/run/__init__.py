"""Run: set up a training run, watch it live, replay it, and branch off from it."""
