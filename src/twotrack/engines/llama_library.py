"""llama.cpp's C interface (include/llama.h), as the xllamacpp wheel's library exports it.

The wheel's own Python interface is llama.cpp's HTTP server without the sockets. It hands out text and not
tokens (the ids of a character cut across tokens are lost), can neither score a text nor keep a prefix for
each gains setting, and every request passes through JSON: the figures stand in
docs/decisions/0006-llama-cpp-through-its-c-interface.md. The C interface below it gives all of that, at one
price: the layout of two structures belongs to the wheel's version. Hence the exact version in pyproject.toml,
and `Library` compares the defaults that the library fills in with those of the layout it was written for,
before it trusts a single field.
"""

import ctypes as c
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

F32, F16 = 0, 1
"""ggml_type, for the key/value cache."""
FLASH_ATTENTION_OFF = 0


class ModelParams(c.Structure):
    """llama_model_params."""

    _fields_: ClassVar[Any] = [
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int32),
        ("load_mode", c.c_int32),
        ("lazy_mode", c.c_int32),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
    ]


class ContextParams(c.Structure):
    """llama_context_params."""

    _fields_: ClassVar[Any] = [
        ("n_ctx", c.c_uint32),
        ("n_batch", c.c_uint32),
        ("n_ubatch", c.c_uint32),
        ("n_seq_max", c.c_uint32),
        ("n_rs_seq", c.c_uint32),
        ("n_outputs_max", c.c_uint32),
        ("n_outputs_max_per_seq", c.c_uint32),
        ("n_threads", c.c_int32),
        ("n_threads_batch", c.c_int32),
        ("ctx_type", c.c_int32),
        ("rope_scaling_type", c.c_int32),
        ("pooling_type", c.c_int32),
        ("attention_type", c.c_int32),
        ("flash_attn_type", c.c_int32),
        ("rope_freq_base", c.c_float),
        ("rope_freq_scale", c.c_float),
        ("yarn_ext_factor", c.c_float),
        ("yarn_attn_factor", c.c_float),
        ("yarn_beta_fast", c.c_float),
        ("yarn_beta_slow", c.c_float),
        ("yarn_orig_ctx", c.c_uint32),
        ("defrag_thold", c.c_float),
        ("cb_eval", c.c_void_p),
        ("cb_eval_user_data", c.c_void_p),
        ("type_k", c.c_int32),
        ("type_v", c.c_int32),
        ("moe_cache_size", c.c_size_t),
        ("abort_callback", c.c_void_p),
        ("abort_callback_data", c.c_void_p),
        ("embeddings", c.c_bool),
        ("offload_kqv", c.c_bool),
        ("no_perf", c.c_bool),
        ("op_offload", c.c_bool),
        ("swa_full", c.c_bool),
        ("kv_unified", c.c_bool),
        ("samplers", c.c_void_p),
        ("n_samplers", c.c_size_t),
        ("ctx_other", c.c_void_p),
    ]


class Batch(c.Structure):
    """llama_batch: `n_tokens` tokens, each with its position, its sequence, and whether logits are wanted."""

    _fields_: ClassVar[Any] = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.POINTER(c.c_float)),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


_EXPECTED_MODEL = {"devices": None, "n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1} | {
    "main_gpu": 0,
    "kv_overrides": None,
    "vocab_only": False,
    "check_tensors": False,
    "use_extra_bufts": True,
    "no_alloc": False,
}
_EXPECTED_CONTEXT = {"n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_outputs_max": 0} | {
    "rope_scaling_type": -1,
    "pooling_type": -1,
    "attention_type": -1,
    "flash_attn_type": -1,
    "yarn_ext_factor": -1.0,
    "defrag_thold": -1.0,
    "type_k": F16,
    "type_v": F16,
    "abort_callback": None,
    "embeddings": False,
    "offload_kqv": True,
    "op_offload": True,
    "kv_unified": False,
    "n_samplers": 0,
    "ctx_other": None,
}

_pointer, _int, _uint, _bool = c.c_void_p, c.c_int32, c.c_uint32, c.c_bool
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "llama_log_set": (None, [_pointer, _pointer]),
    "llama_backend_init": (None, []),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_model_load_from_file": (_pointer, [c.c_char_p, ModelParams]),
    "llama_init_from_model": (_pointer, [_pointer, ContextParams]),
    "llama_model_get_vocab": (_pointer, [_pointer]),
    "llama_model_desc": (_int, [_pointer, c.c_char_p, c.c_size_t]),
    "llama_model_n_ctx_train": (_int, [_pointer]),
    "llama_model_n_embd": (_int, [_pointer]),
    "llama_model_has_encoder": (_bool, [_pointer]),
    "llama_model_is_diffusion": (_bool, [_pointer]),
    "llama_vocab_n_tokens": (_int, [_pointer]),
    "llama_n_ctx": (_uint, [_pointer]),
    "llama_n_ctx_seq": (_uint, [_pointer]),
    "llama_n_batch": (_uint, [_pointer]),
    "llama_n_seq_max": (_uint, [_pointer]),
    "llama_n_threads": (_int, [_pointer]),
    "llama_set_n_threads": (None, [_pointer, _int, _int]),
    "llama_supports_gpu_offload": (_bool, []),
    "llama_get_memory": (_pointer, [_pointer]),
    "llama_memory_seq_rm": (_bool, [_pointer, _int, _int, _int]),
    "llama_memory_seq_cp": (None, [_pointer, _int, _int, _int, _int]),
    "llama_adapter_lora_init": (_pointer, [_pointer, c.c_char_p]),
    "llama_set_adapters_lora": (_int, [_pointer, c.POINTER(_pointer), c.c_size_t, c.POINTER(c.c_float)]),
    "llama_batch_init": (Batch, [_int, _int, _int]),
    "llama_decode": (_int, [_pointer, Batch]),
    "llama_encode": (_int, [_pointer, Batch]),
    "llama_get_embeddings": (c.POINTER(c.c_float), [_pointer]),
    "llama_get_logits": (c.POINTER(c.c_float), [_pointer]),
    "llama_get_logits_ith": (c.POINTER(c.c_float), [_pointer, _int]),
}

_LogCallback = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)
_WARNING, _ERROR, _CONTINUED = 3, 4, 5


class LayoutChanged(Exception):
    """The installed xllamacpp is not the one that these structures describe."""


class Library:
    """The functions of llama.h under their own names, e.g. `library.llama_decode(context, batch)`.

    Warnings and errors of llama.cpp go to stderr; `errors` keeps the errors, newest last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._functions = c.CDLL(str(path))
        for name, (result, arguments) in _SIGNATURES.items():
            try:
                function = getattr(self._functions, name)
            except AttributeError as error:
                raise LayoutChanged(f"{path.name} has no function {name}") from error
            function.restype, function.argtypes = result, arguments
        _compare("llama_model_params", self._functions.llama_model_default_params(), _EXPECTED_MODEL)
        _compare("llama_context_params", self._functions.llama_context_default_params(), _EXPECTED_CONTEXT)
        self.errors: list[str] = []
        # llama.cpp keeps the pointer: the callback has to live as long as the library.
        self._log = _LogCallback(self._logged)
        self._functions.llama_log_set(c.cast(self._log, c.c_void_p), None)
        self._functions.llama_backend_init()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, name)

    def _logged(self, level: int, text: bytes, _: Any) -> None:
        if level not in (_WARNING, _ERROR, _CONTINUED):
            return
        line = text.decode("utf-8", "replace")
        if level == _ERROR:
            self.errors.append(line.strip())
        if level != _CONTINUED:
            sys.stderr.write(line)


def _compare(name: str, defaults: c.Structure, expected: dict[str, Any]) -> None:
    for field, value in expected.items():
        found = getattr(defaults, field)
        if found != value:
            raise LayoutChanged(
                f"the installed xllamacpp has another {name} than this version of Twotrack was written for "
                f"({field} is {found!r}, expected {value!r}): install the version that constraints.txt names"
            )


@lru_cache(maxsize=1)
def load_library() -> Library:
    """The library inside the installed xllamacpp wheel; a process loads it once.

    Raises:
        LayoutChanged: another version of it, whose structures differ.
        ImportError: it is not installed.
    """
    package = find_spec("xllamacpp")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the package xllamacpp is not installed")
    folder = Path(package.submodule_search_locations[0])
    files = sorted(folder.glob("xllamacpp*.so"))
    if not files:
        raise ImportError(f"no library in {folder}")
    return Library(files[0])
