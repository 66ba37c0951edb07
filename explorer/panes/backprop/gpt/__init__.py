"""GPT: one training example through a real GPT and back, operation by operation."""
