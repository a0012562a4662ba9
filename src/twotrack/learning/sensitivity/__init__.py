"""How sensitive the loss on one's own samples is to each place of a base, and the board suggested from it."""
