"""OpenAI's fine-tuning jobs over the studio's training runs."""
