"""SentencePiece's tokenizers from and to their files.

Read in this order: protobuf (how a .model file is written), model (what is in it), double_array and
charsmap (its table of character rules), files (the file as one of our tokenizers); then
tokenizer.json: documents (BPE), unigram_documents.
"""
