"""A BERT in GGUF through llama.cpp: small, without torch. See child.Body.

Many short texts go through the model in one pass, each a sequence of its own. llama.cpp gives the vectors of
the tokens, and their mean is taken here: the other use of them is `match`.
"""

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twotrack.embedders.pages import give_back
from twotrack.embedders.port import Vectors, unit_rows
from twotrack.engines.llama_library import load_library
from twotrack.engines.machine import usable_threads

# Tokens of one pass, where no text alone has more, and texts in it. More brings nothing on a processor.
_TOKENS = 256
_TEXTS = 64
_NO_POOLING = 0


class LlamaBody:
    def __init__(self, model: Path, *, longest: int, threads: int | None) -> None:
        library = self._library = load_library()
        parameters = library.llama_model_default_params()
        loaded = library.llama_model_load_from_file(str(model).encode(), parameters)
        if not loaded:
            raise RuntimeError(library.errors[-1] if library.errors else "llama.cpp could not load it")
        context = library.llama_context_default_params()
        tokens = max(_TOKENS, longest)
        context.n_ctx = context.n_batch = context.n_ubatch = tokens
        context.n_seq_max = _TEXTS
        context.n_threads = context.n_threads_batch = threads or usable_threads()
        context.embeddings = True
        context.pooling_type = _NO_POOLING
        # Texts of all lengths share the cells of one cache.
        context.kv_unified = True
        self._context = library.llama_init_from_model(loaded, context)
        if not self._context:
            raise RuntimeError(library.errors[-1] if library.errors else "llama.cpp made no context")
        self._batch = library.llama_batch_init(tokens, 0, 1)
        self.dimensions: int = library.llama_model_n_embd(loaded)
        self._vocabulary: int = library.llama_vocab_n_tokens(library.llama_model_get_vocab(loaded))
        self._largest = 0

    def embed(self, texts: Sequence[Sequence[int]]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for index, tokens in self._passes(texts):
            vectors[index] = tokens.mean(axis=0)
        return unit_rows(vectors)

    def tokens(self, texts: Sequence[Sequence[int]]) -> list[Vectors]:
        found = [np.empty((0, self.dimensions), dtype=np.float32)] * len(texts)
        for index, tokens in self._passes(texts):
            # A copy: the next pass writes where these lie.
            found[index] = unit_rows(tokens)
        return found

    def _passes(self, texts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Vectors]]:
        """(index of a text, what the model makes of its tokens), valid until the next is asked for."""
        waiting = list(enumerate(texts))
        while waiting:
            taken, tokens = 0, 0
            while taken < min(_TEXTS, len(waiting)) and (
                not taken or tokens + len(waiting[taken][1]) <= _TOKENS
            ):
                tokens += len(waiting[taken][1])
                taken += 1
            yield from self._pass(waiting[:taken])
            waiting = waiting[taken:]

    def _pass(self, texts: Sequence[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, Vectors]]:
        batch: Any = self._batch
        place = 0
        for sequence, (_, ids) in enumerate(texts):
            for position, token in enumerate(ids):
                batch.token[place], batch.pos[place] = token, position
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = sequence
                batch.logits[place] = 1
                place += 1
        batch.n_tokens = place
        if code := self._library.llama_encode(self._context, batch):
            raise RuntimeError(f"llama.cpp could not compute it ({code})")
        given = self._library.llama_get_embeddings(self._context)
        if place > self._largest:
            self._largest = place
            self._give_back_logits(_address(given))
        rows = np.ctypeslib.as_array(given, (place, self.dimensions))
        for index, ids in texts:
            yield index, rows[: len(ids)]
            rows = rows[len(ids) :]

    def _give_back_logits(self, vectors: int) -> None:
        """llama.cpp makes room for logits before that for vectors, and clears it; a BERT writes none there.
        They would be 250,000 numbers a token. A pass that is larger than all before makes room anew."""
        logits = _address(self._library.llama_get_logits(self._context))
        tokens, rest = divmod(vectors - logits, 4 * self._vocabulary)
        if rest == 0 and self._largest <= tokens <= max(self._largest, _TEXTS):
            give_back(logits, vectors)


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


def load(folder: Path, *, longest: int, threads: int | None) -> LlamaBody:
    from twotrack.embedders.e5_file import MODEL

    return LlamaBody(folder / MODEL, longest=longest, threads=threads)
