"""Examples: the same question after more and more examples of the task."""
