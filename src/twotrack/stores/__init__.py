"""Documents, their chunks, and the indexes that find them: vectors, morphemes, character bigrams."""
