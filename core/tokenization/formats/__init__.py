"""Every file format of tokenizers, each read into the class that does it exactly.

Read in this order: tokenizer_json (writing ours), reading (bounds on what is read), pieces (what a
vocabulary says about its pattern and its special tokens), ranks (.tiktoken), tekken (tekken.json),
wordlist (vocab.txt), merges (vocab.json with merges.txt), sentencepiece (.model); then reading
tokenizer.json: spelling, limits (what a file may ask for), library_opening and library (the Hugging
Face library behind our protocol), own_documents, own_wordpiece and documents (our class or the
library); last gguf (the tokenizer inside a model file).
"""
