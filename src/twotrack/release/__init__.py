"""What leaves the studio: variants exported as files that other programs load, checked against the live one.

weights.py   an adapter with its gains baked in; weights with the change added
writing.py   PEFT folders, merged safetensors, GGUF, each streamed; in a child (__main__.py)
card.py      model cards and Modelfiles
parity.py    the same prompts through the variant and through its export
exports.py   where exports lie, their list, their archive
job.py       the job that makes one
"""
