"""The steps from a text to its tokens, and the pictures of a word in these steps."""
