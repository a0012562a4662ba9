"""Gains for one request, over an adapter on the starter: 0 is the base, no request changes another."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from openai import APIStatusError, AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam
from safetensors.numpy import save_file

from twotrack.core.database import Database
from twotrack.registry.layout import Layout
from twotrack.registry.service import register_adapter
from twotrack.registry.tables import get_variant

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Name a colour."}]
RANK, HIDDEN, LAYERS, SEED = 4, 576, 30, 11


def write_adapter(folder: Path) -> None:
    """A LoRA on the starter's output projections, as random as it needs to be to change what is said."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(SEED)
    tensors = {}
    for layer in range(LAYERS):
        name = f"base_model.model.model.layers.{layer}.self_attn.o_proj"
        tensors[f"{name}.lora_A.weight"] = random.normal(0, 0.1, (RANK, HIDDEN)).astype(np.float32)
        tensors[f"{name}.lora_B.weight"] = random.normal(0, 0.1, (HIDDEN, RANK)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": RANK,
        "target_modules": ["o_proj"],
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def tuned(studio_url: str, studio_home: Path, studio_database_url: str, model: str) -> str:
    """Name of a variant of the starter with an adapter."""

    async def register() -> str:
        database = Database(studio_database_url)
        await database.open()
        layout = Layout(studio_home)
        folder = layout.staging / "adapter"
        write_adapter(folder)
        async with database.transaction() as connection:
            base = await get_variant(connection, model)
            _, variant = await register_adapter(
                connection,
                layout,
                name="tuned",
                base_id=base.base_id,
                folder=folder,
                template_hash="",
                data_fingerprint="",
                recipe={},
            )
        await database.close()
        return variant.name

    return asyncio.run(register())


async def answer(openai: AsyncOpenAI, model: str, gains: Any = None) -> str | None:
    completion = await openai.chat.completions.create(
        model=model,
        messages=MESSAGES,
        temperature=0,
        max_tokens=12,
        extra_body={} if gains is None else {"gains": gains},
    )
    return completion.choices[0].message.content


async def test_a_variant_with_an_adapter_is_a_model_that_answers_otherwise(
    async_openai: AsyncOpenAI, model: str, tuned: str
) -> None:
    assert (await async_openai.models.retrieve(tuned)).owned_by == "twotrack"
    assert await answer(async_openai, tuned) != await answer(async_openai, model)


async def test_gain_0_is_the_base_and_gain_1_the_adapter_as_trained(
    async_openai: AsyncOpenAI, model: str, tuned: str
) -> None:
    assert await answer(async_openai, tuned, 0) == await answer(async_openai, model)
    assert await answer(async_openai, tuned, 1) == await answer(async_openai, tuned)


async def test_simultaneous_requests_keep_their_own_gains(
    async_openai: AsyncOpenAI, model: str, tuned: str
) -> None:
    gains = [0, 1, -1, 0.5]
    alone = [await answer(async_openai, tuned, gain) for gain in gains]
    together = await asyncio.gather(*(answer(async_openai, tuned, gain) for gain in gains))
    assert together == alone
    assert len(set(alone)) > 1


def only(column: int, gain: float = 1) -> list[list[float]]:
    """A board of the starter with a gain in one column (qk, vo, mlp in, mlp out) and 0 in all others."""
    return [[gain if at == column else 0 for at in range(4)] for _ in range(4)]


async def test_rows_and_columns_act_where_they_say(async_openai: AsyncOpenAI, model: str, tuned: str) -> None:
    # The adapter lies on the output projections alone.
    assert await answer(async_openai, tuned, only(1)) == await answer(async_openai, tuned)
    assert await answer(async_openai, tuned, only(0)) == await answer(async_openai, model)
    curve = [{"depth": 0, "gain": 0.5}]
    smooth = {"cells": only(0), "expansion": "smooth", "points": [curve] * 4}
    assert await answer(async_openai, tuned, smooth) == await answer(async_openai, tuned, 0.5)


async def test_a_board_of_another_shape_is_refused_with_the_shape_that_fits(
    async_openai: AsyncOpenAI, tuned: str
) -> None:
    for wrong in ([[1, 1], [1, 1]], [[9e9] * 4] * 4, {"cells": only(1), "loud": True}, []):
        with pytest.raises(APIStatusError) as refused:
            await answer(async_openai, tuned, wrong)
        assert "gain" in str(refused.value)
    with pytest.raises(APIStatusError, match="4 bands of depth × 4 columns"):
        await answer(async_openai, tuned, [[1, 1], [1, 1]])


async def test_a_board_is_kept_as_a_variant(async_openai: AsyncOpenAI, studio_url: str, tuned: str) -> None:
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False) as client:
        details = (await client.get(f"/api/models/{tuned}")).json()
        assert details["board"]["columns"] == ["attn.qk", "attn.vo", "mlp.in", "mlp.out"]
        assert details["board"]["bands"][0] == {"first": 0, "last": 7}
        adapter = details["variant"]["adapters"][0]["adapter_id"]
        for name, board, status in (("half", only(1, 0.5), 201), ("no-board", [[1]], 422)):
            made = await client.post(
                "/api/models/variants",
                json={
                    "name": name,
                    "base": details["base"]["id"],
                    "adapters": [{"adapter": adapter, "board": board}],
                },
            )
            assert made.status_code == status, made.text
        kept = (await client.get("/api/models/half")).json()["variant"]["adapters"][0]["board"]
        assert kept["cells"] == only(1, 0.5)
        asked = {"message": "Who?", "variant": "half", "temperature": 0, "max_tokens": 2, "keep": False}
        recorded = (await client.post("/api/chat/invoke", json=asked)).json()["by"]["gains"]
        assert recorded[adapter]["cells"] == only(1, 0.5)
    assert await answer(async_openai, "half") == await answer(async_openai, tuned, 0.5)
    assert await answer(async_openai, "half", 1) == await answer(async_openai, tuned)


OWN = [[1, 0.8], [1, 1], [0.9, 1], [1, 1.1]]


@pytest.mark.torch
@pytest.mark.slow
async def test_the_bases_own_board_is_moved_by_a_request_and_kept_as_a_variant(
    async_openai: AsyncOpenAI, studio_url: str, model: str, tuned: str
) -> None:
    before = await answer(async_openai, model)
    # At 1 it is the base, wherever that is served.
    assert await answer(async_openai, model, {"base": 1}) == before
    settings = [OWN, {"base": [[0.5, 1]] * 4}, {"base": 0}]
    alone = [await answer(async_openai, model, one) for one in settings]
    assert len({*alone, before}) == 4
    assert await asyncio.gather(*(answer(async_openai, model, one) for one in settings)) == alone
    assert await answer(async_openai, model) == before
    async with httpx.AsyncClient(base_url=studio_url, trust_env=False) as client:
        details = (await client.get(f"/api/models/{model}")).json()
        assert details["own_board"]["columns"] == ["attn", "mlp"]
        assert details["own_board"]["bands"] == details["board"]["bands"]
        for name, fields, status in (
            ("bent", {"base_board": OWN}, 201),
            ("straight", {"base_board": 1}, 422),
            ("neither", {}, 422),
            ("odd", {"base_board": [[1, 1]]}, 422),
            ("loud", {"base_board": 1e9}, 422),
        ):
            made = await client.post("/api/models/variants", json={"name": name, "base": model, **fields})
            assert made.status_code == status, made.text
        asked = {"message": "Who?", "variant": "bent", "temperature": 0, "max_tokens": 2, "keep": False}
        by = (await client.post("/api/chat/invoke", json=asked)).json()["by"]
        assert (by["engine"], by["gains"]["base"]["cells"]) == ("transformers", OWN)
    assert await answer(async_openai, "bent") == alone[0]
    assert await answer(async_openai, "bent", {"base": 1}) == before
    both = {"adapters": 1, "base": OWN}
    assert await answer(async_openai, tuned, both) != await answer(
        async_openai, tuned, {"base": OWN, "adapters": 0}
    )
    assert await answer(async_openai, tuned, {"base": OWN, "adapters": 0}) == alone[0]


async def test_a_base_board_that_is_none_is_refused_with_the_shape_that_fits(
    async_openai: AsyncOpenAI, model: str
) -> None:
    for wrong in ([[1, 1, 1, 1]] * 4, {"base": [[9e9, 1]] * 4}, {"base": 1, "bass": 2}, {"base": "soft"}):
        with pytest.raises(APIStatusError) as refused:
            await answer(async_openai, model, wrong)
        assert refused.value.status_code == 400
    with pytest.raises(APIStatusError, match="4 bands of depth × 2 columns"):
        await answer(async_openai, model, [[1, 1], [1, 1]])
    with pytest.raises(APIStatusError, match="no adapter"):
        await answer(async_openai, model, 0.5)


async def test_a_hundred_moves_in_quick_succession_leave_nothing_behind(
    async_openai: AsyncOpenAI, tuned: str
) -> None:
    before = await answer(async_openai, tuned, only(1, 0.7))
    for move in range(100):
        moving = asyncio.create_task(answer(async_openai, tuned, only(1, move / 100)))
        await asyncio.sleep(0.01)
        moving.cancel()
        await asyncio.gather(moving, return_exceptions=True)
    assert await answer(async_openai, tuned, only(1, 0.7)) == before
