"""SentencePiece's tokenizers from and to their files.

Read in this order: protobuf (how a .model file is written), model (what is in it), double_array and
charsmap (its table of character rules), files (a model as one of our tokenizers, and back);
tokenizer.json: documents (all round the model), bpe_documents, unigram_documents; last saving.
"""
