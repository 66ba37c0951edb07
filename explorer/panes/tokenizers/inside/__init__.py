"""Inside: one word or sentence under one tokenizer, step by step."""
