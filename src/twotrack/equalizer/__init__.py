"""The equalizer's arithmetic: where a change acts on a base, and how strongly. No model, no torch.

gains.py      a gain and its limits
grid.py       depth bands × module kinds over a base's layers
board.py      a grid of gains as it is stored: cells, and the points of curves
expansion.py  from a board to one gain for every layer and kind
training.py   a board while training: frozen cells, ranks, learning rates
"""
