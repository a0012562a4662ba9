"""Text to vectors, for both tracks: the models that do it, each in a child process of its own."""
