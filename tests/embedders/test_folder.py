"""Folders of sentence-transformers that are not taken: each is told why, in both languages."""

import json
from pathlib import Path

import pytest

from twotrack.embedders.port import EmbedderUnknown
from twotrack.embedders.service import Embedders
from twotrack.registry.layout import Layout


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What such a folder holds, with weights that nobody has opened yet."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 8, "max_position_embeddings": 64}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


async def refused(layout: Layout, address: str) -> EmbedderUnknown:
    with pytest.raises(EmbedderUnknown) as error:
        await Embedders(layout).get(address)
    assert error.value.explain("en") != error.value.explain("ko")
    assert error.value.advise("ko")
    return error.value


async def test_pickled_weights_are_never_read(layout: Layout, model: Path, tmp_path: Path) -> None:
    (model / "model.safetensors").unlink()
    proof = tmp_path / "ran"
    (model / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n(S'touch " + bytes(proof) + b"'\ntR.")
    error = await refused(layout, f"folder:{model}")
    assert "pytorch_model.bin" in str(error)
    assert "safetensors로 저장하세요" in error.explain("ko")
    assert not proof.exists()


async def test_a_model_with_code_of_its_own_is_not_taken(layout: Layout, model: Path) -> None:
    (model / "config.json").write_text(
        json.dumps({"hidden_size": 8, "auto_map": {"AutoModel": "evil.Model"}})
    )
    assert "code of its own" in str(await refused(layout, f"folder:{model}"))


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ("config.json", "no config.json"),
        ("tokenizer.json", "no tokenizer.json"),
        ("model.safetensors", "no safetensors"),
    ],
)
async def test_what_is_missing_is_named(layout: Layout, model: Path, missing: str, why: str) -> None:
    (model / missing).unlink()
    assert why in str(await refused(layout, f"folder:{model}"))


async def test_altered_weights_are_another_embedder(layout: Layout, model: Path) -> None:
    embedders = Embedders(layout)
    before = (await embedders.get(f"folder:{model}")).id
    await embedders.close()
    (model / "model.safetensors").write_bytes(b"others")
    assert "others by now" in str(await refused(layout, before))


async def test_a_path_must_be_whole(layout: Layout) -> None:
    await refused(layout, "folder:model")
    await refused(layout, "folder:/no/such/place")
    await refused(layout, "folder:")
