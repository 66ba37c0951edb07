"""Inside: the encoding of a word or sentence by one tokenizer, step by step."""
