"""The map of a model: where its weights can be tuned, and what each place weighs. Headers and config only.

sizes.py    the sizes that a config.json names, checked
rules.py    every tensor of a known architecture, computed from its sizes
meta.py     the tensors of any other one that transformers knows, from a model without weights
places.py   from a tensor's name to its stack, layer, column and role
build.py    from tensors to the map
explain.py  what a checkpoint is for, in plain words
reading.py  all of it in a confined child
norms.py    how large the weights are; the one thing here that reads them
"""
