"""Reads and writes the files of SentencePiece's tokenizers.

Read in this order: protobuf (the encoding of a .model file), double_array and charsmap (its table
of character rules), model (its content), files (a model as one of our tokenizers); tokenizer.json:
documents (writing), bpe_documents and unigram_documents (reading).
"""
