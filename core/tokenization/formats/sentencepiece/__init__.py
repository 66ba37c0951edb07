"""SentencePiece's tokenizers from and to their files.

Read in this order: protobuf (how a .model file is written), double_array and charsmap (its table of
character rules), model (what is in it), files (a model as one of our tokenizers); tokenizer.json:
documents (writing), bpe_documents and unigram_documents (reading).
"""
