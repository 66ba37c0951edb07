"""The file formats of tokenizers, each read into the class that implements it exactly.

Read in this order: tokenizer_json (writing ours), reading (size limits on files), pieces (what a
vocabulary reveals about its pattern and its special tokens), ranks (.tiktoken), tekken
(tekken.json), wordlist (vocab.txt), merges (vocab.json with merges.txt), sentencepiece (.model);
then reading tokenizer.json: spelling, limits (on what a file may request), library_opening and
library (the Hugging Face library behind our protocol), own_documents, own_wordpiece and documents
(our class or the library); last gguf (the tokenizer inside a model file).
"""
