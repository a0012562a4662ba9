"""What a training run will take, before it is started: time, memory, and what would fit where it does not."""
