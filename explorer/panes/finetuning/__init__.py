"""Fine-tuning: how a trained model learns something new, and how few numbers that takes."""
