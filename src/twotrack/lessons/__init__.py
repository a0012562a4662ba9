"""Above both tracks: what people say of answers in the chat becomes something that a model learns from."""
