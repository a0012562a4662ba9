"""From the registry's entries to what an engine is started with."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from safetensors.numpy import save_file

from twotrack.engines.loading import foresee_memory, spec_for
from twotrack.engines.memory import config_cache_shape, estimate_memory
from twotrack.engines.port import BranchesUnsupported
from twotrack.equalizer.board import Board
from twotrack.registry.conversion import ensure_tokenizer
from twotrack.registry.errors import BaseAltered
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Adapter, Base, Variant, VariantAdapter

NOW = datetime.now(UTC)


def variant_of(base: Base, *adapters: Adapter) -> Variant:
    used = tuple(VariantAdapter(adapter_id=one.id) for one in adapters)
    return Variant(id=uuid4(), name="tested", base_id=base.id, adapters=used, created_at=NOW)


BASE_BOARD = Board(cells=((1, 0.5),) * 4)


def adapter_on(base: Base, layout: Layout, *, module: str = "self_attn.o_proj") -> Adapter:
    """A LoRA adapter on one module of the starter's first layer."""
    adapter_id: UUID = uuid4()
    folder = layout.adapter(adapter_id)
    folder.mkdir(parents=True)
    prefix = f"base_model.model.model.layers.0.{module}"
    tensors: dict[str, np.ndarray[Any, Any]] = {
        f"{prefix}.lora_A.weight": np.ones((2, 576), np.float32),
        f"{prefix}.lora_B.weight": np.ones((576, 2), np.float32),
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": [module.rpartition(".")[2]]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return Adapter(
        id=adapter_id,
        name="tested",
        base_id=base.id,
        rank=2,
        alpha=2,
        target_modules=("o_proj",),
        template_hash="",
        data_fingerprint="",
        recipe={},
        files=(),
        job_id=None,
        created_at=NOW,
    )


async def test_a_gguf_base_is_served_as_it_is_in_modest_memory(layout: Layout, starter_base: Base) -> None:
    spec = await spec_for(variant_of(starter_base), starter_base, [], layout, threads=1)
    assert spec.kind == "llama_cpp"
    assert spec.model == layout.base(starter_base.id) / starter_base.files[0].path
    assert (spec.context_length, spec.parallel, spec.threads) == (4096, 4, 1)
    # With the interface and the database, the starter has to fit into 1 GiB.
    assert estimate_memory(spec) < 620 * 2**20


async def test_a_variant_that_turns_the_bases_own_branches_is_served_with_transformers(
    layout: Layout, starter_base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = variant_of(starter_base).model_copy(update={"base_board": BASE_BOARD})
    spec = await spec_for(variant, starter_base, [], layout)
    assert (spec.kind, dict(spec.branches)) == ("transformers", {"o_proj": "attn", "down_proj": "mlp"})
    # The base itself too, where a request asks for it, and only there.
    plain = variant_of(starter_base)
    assert await spec_for(plain, starter_base, [], layout, branches=True) == spec
    assert (await spec_for(plain, starter_base, [], layout)).kind == "llama_cpp"
    assert foresee_memory(starter_base, [], branches=True).how in ("fp32", "bf16", "nf4")
    with pytest.raises(BranchesUnsupported, match="llama.cpp"):
        await spec_for(variant, starter_base, [], layout, kind="llama_cpp")
    monkeypatch.setattr("twotrack.engines.loading.find_spec", lambda name: None)
    with pytest.raises(BranchesUnsupported, match="not installed"):
        await spec_for(variant, starter_base, [], layout)


async def test_a_longer_context_gets_fewer_slots_of_the_same_memory(
    layout: Layout, starter_base: Base
) -> None:
    spec = await spec_for(variant_of(starter_base), starter_base, [], layout, context_length=100_000)
    assert (spec.context_length, spec.parallel) == (8192, 2)


async def test_all_adapters_of_a_base_are_loaded_together(layout: Layout, starter_base: Base) -> None:
    adapters = [adapter_on(starter_base, layout) for _ in range(2)]
    one = await spec_for(variant_of(starter_base, adapters[0]), starter_base, adapters, layout)
    assert [adapter.id for adapter in one.adapters] == [str(adapter.id) for adapter in adapters]
    assert all((adapter.path / "whole.gguf").is_file() for adapter in one.adapters)
    assert one == await spec_for(variant_of(starter_base), starter_base, adapters, layout)
    reference = await spec_for(variant_of(starter_base), starter_base, adapters, layout, kind="transformers")
    assert [adapter.path for adapter in reference.adapters] == [layout.adapter(one.id) for one in adapters]


async def test_an_adapter_that_cannot_be_loaded_stands_in_the_way_of_its_own_variants_only(
    layout: Layout, starter_base: Base
) -> None:
    good = adapter_on(starter_base, layout)
    strange = adapter_on(starter_base, layout, module="mlp.no_such_module")
    spec = await spec_for(variant_of(starter_base, good), starter_base, [strange, good], layout)
    assert [adapter.id for adapter in spec.adapters] == [str(good.id)]
    with pytest.raises(Exception, match="no_such_module"):
        await spec_for(variant_of(starter_base, strange), starter_base, [strange, good], layout)


async def test_an_altered_base_is_refused_even_after_it_was_verified(
    layout: Layout, starter_base: Base
) -> None:
    await spec_for(variant_of(starter_base), starter_base, [], layout)
    folder = layout.base(starter_base.id)
    folder.chmod(0o755)
    file = folder / starter_base.files[0].path
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    # The file is a link that other tests share: not this one's to write.
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(BaseAltered):
        await spec_for(variant_of(starter_base), starter_base, [], layout)


async def test_a_remote_base_is_served_where_it_lives(layout: Layout, starter_base: Base) -> None:
    tokenizer = await ensure_tokenizer(layout, starter_base)
    remote = {
        "format": "remote",
        "context_length": 131_072,
        "details": {"remote": {"endpoint": "http://gpu:8000/v1", "model": "big"}},
    }
    base = starter_base.model_copy(update=remote)
    spec = await spec_for(variant_of(base), base, [], layout, kind="llama_cpp")
    assert spec.kind == "openai_compatible"
    assert (spec.endpoint, spec.endpoint_model) == ("http://gpu:8000/v1", "big")
    assert (spec.context_length, spec.model) == (131_072, tokenizer)
    assert estimate_memory(spec) == 0


def test_the_cache_of_a_config_is_that_of_its_heads() -> None:
    llama = {
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "hidden_size": 4096,
    }
    assert config_cache_shape(llama).bytes_a_token() == 32 * 2 * 8 * 128 * 2
    assert config_cache_shape({**llama, "head_dim": 64}).bytes_a_token(exact=True) == 32 * 2 * 8 * 64 * 4
    assert config_cache_shape({"text_config": llama}) == config_cache_shape(llama)
    assert config_cache_shape({}).bytes_a_token() == 0
