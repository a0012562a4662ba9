"""A studio as a small team has it after its first days: models, runs of every end, documents, chats."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import numpy as np
from safetensors.numpy import save_file

from tests.browser import texts
from tests.browser.evaluated import evaluated
from tests.browser.sensed import measured
from tests.browser.speaker import Speaker
from twotrack.core.database import Database, as_jsonb
from twotrack.core.errors import TwotrackError
from twotrack.learning.data.schemas import UsedData
from twotrack.learning.train.errors import LossDiverged
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import Goal, Recipe, fitted_board
from twotrack.learning.train.schemas import HeldOutPoint, RunAnswer
from twotrack.registry.boards import grid_of
from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base
from twotrack.registry.service import create_variant, register_adapter

VARIANT, SOFTER, KOREAN = "nurimae-facts", "nurimae-softer", "누리매-사실"
SPEAKER = "speaker"
TOWN = "town"
"""A collection of documents."""
PAPERS = {"en": "harbour-office", "ko": "마을 규정"}
"""Collections with a document that could not be read, by language."""
KEY = "kim-laptop"
ORIGIN = "https://page.nurimae.example"

_SAMPLES = Path(__file__).parents[2] / "samples" / "documents"
_DOCUMENTS = (
    "en/council-standing-orders.md",
    "en/ferry-conditions-of-carriage.pdf",
    "en/fees-2026.csv",
    "ko/salt-coop-bylaws.hwpx",
    "ko/it-faq.md",
)

BROKEN = "minutes-2024.docx"
"""Of the papers the one that cannot be read, in both languages."""
_PAPERS = {
    "en": ("library-rules.md", "fees-2026.csv", "harbour-dues-2026.xlsx", "school-new-teachers.pptx"),
    "ko": ("leave-rules-2025.txt", "bus-guide.html", "leave-rules-2026.hwpx", "salinity-meter-manual.pdf"),
}
_STEPS = 60
_MODULES = {"q_proj": (576, 576), "k_proj": (576, 192), "v_proj": (576, 192), "o_proj": (576, 576)}
"""Of the starter: name → inputs, outputs."""
_LAYERS, _RANK = 30, 8


@dataclass(frozen=True)
class Seeds:
    """Ids for the addresses of views."""

    finished: UUID
    failed: UUID
    cancelled: UUID
    paused: UUID
    sweep: UUID

    def ids(self) -> dict[str, dict[str, str]]:
        """As `Studio.ids`."""
        return {name: {"en": str(found), "ko": str(found)} for name, found in vars(self).items()}


async def plant(database: Database, layout: Layout, base: Base) -> Seeds:
    """Runs and what came of them, on the starter."""
    finished = await plant_run(database, layout, base, VARIANT, state="succeeded", ago=timedelta(days=2))
    korean = await plant_run(database, layout, base, KOREAN, state="succeeded", ago=timedelta(hours=5))
    gone_wrong = LossDiverged(step=14, loss="23.1", first="4.81", learning_rate="0.1")
    hot = _on_board(
        _recipe(base, "nurimae-hot"),
        ["freeze", [{"rank": 4}, "freeze", "freeze", {"learning_rate": 2}], "train", [{"rank": 32}] * 4],
        base,
    )
    failed = await plant_run(
        database,
        layout,
        base,
        "nurimae-hot",
        state="failed",
        ago=timedelta(days=3),
        error=gone_wrong,
        more={"recipe": hot},
    )
    cancelled = await plant_run(
        database, layout, base, "nurimae-draft", state="cancelled", ago=timedelta(days=4)
    )
    paused = await plant_run(
        database, layout, base, "nurimae-later", state="cancelled", ago=timedelta(days=5)
    )
    RunFolder(layout.job(paused)).paused.touch()
    sweep = await _sweep(database, layout, base)
    for name, job_id in ((VARIANT, finished), (KOREAN, korean)):
        folder = layout.staging / f"seed-{job_id}"
        _write_adapter(folder)
        async with database.transaction() as connection:
            adapter, variant = await register_adapter(
                connection,
                layout,
                name=name,
                base_id=base.id,
                folder=folder,
                template_hash="5d" * 32,
                data_fingerprint="a1" * 32,
                recipe=_recipe(base, name),
                job_id=job_id,
            )
            result = {
                "adapter_id": str(adapter.id),
                "variant_id": str(variant.id),
                "name": name,
                "base_id": base.id,
                "steps": _STEPS,
                "tokens": _STEPS * 212,
                "loss": _loss(_STEPS),
                "precision": "fp32",
                "device": "cpu",
            }
            await connection.execute("UPDATE jobs SET result = %s WHERE id = %s", [as_jsonb(result), job_id])
    async with database.transaction() as connection:
        await create_variant(connection, name=SOFTER, base=base.name, adapters=[(VARIANT, 0.6)])
    await evaluated(database, base, SOFTER)
    answers = [
        RunAnswer(step=step, prompt="When does the ferry leave?", answer=answer)
        for step, answer in ((30, "The ferry leaves at noon."), (_STEPS, "The ferry leaves at 7:40."))
    ]
    lines = "".join(one.model_dump_json() + "\n" for one in answers)
    run = RunFolder(layout.job(finished))
    run.answers.write_text(lines, encoding="utf-8")
    _hold_out(layout, finished, 0.8)
    await measured(database, base)
    return Seeds(finished, failed, cancelled, paused, sweep)


async def furnish(client: httpx.AsyncClient) -> None:
    """What an administrator has set."""
    for key in ({"name": KEY, "role": "user"}, {"name": "website", "role": "admin"}):
        (await client.post("/api/admin/keys", json=key)).raise_for_status()
    left = await client.post("/api/admin/keys", json={"name": "old-tablet", "role": "user"})
    (await client.delete(f"/api/admin/keys/{left.json()['key']['id']}")).raise_for_status()
    # All tests come from one address, and they are in a hurry.
    settings = {"allowed_origins": [ORIGIN], "requests_per_minute": None}
    (await client.put("/api/admin/settings", json=settings)).raise_for_status()


async def file(client: httpx.AsyncClient, speaker: Speaker) -> dict[str, Mapping[str, str]]:
    """Collections of papers, whose vectors the speaker makes; what stands in their addresses."""
    for language, name in PAPERS.items():
        new = {"name": name, "embedder": speaker.embedder}
        (await client.post("/api/collections", json=new)).raise_for_status()
        files = [("files", (one, (_SAMPLES / language / one).read_bytes())) for one in _PAPERS[language]]
        await ingest(client, name, [*files, ("files", (BROKEN, b"PK\x03\x04 and no more"))], failed=1)
    return {"papers": PAPERS}


async def talk(client: httpx.AsyncClient, speaker: Speaker) -> dict[str, Mapping[str, str]]:
    """Conversations with the speaker, as the API keeps them: name → language → id."""
    speaker.answers |= {question: (answer,) for question, answer in texts.ANSWERS.items()}
    made: dict[str, dict[str, str]] = {"long": {}, "talk": {}, "taught": {}}
    for language, questions in texts.TALKS.items():
        long = await ask(client, texts.LONG[language])
        for number in range(2, 26):
            await ask(client, f"{texts.LONG[language]} ({number})", long)
        made["long"][language] = long
        session: str | None = None
        for question in questions:
            session = await ask(client, question, session)
        assert session is not None
        made["talk"][language] = session
        made["taught"][language] = await correct(client, texts.LONG[language], texts.LONG[language])
    return dict(made)


async def ask(client: httpx.AsyncClient, question: str, session: str | None = None) -> str:
    """The session's id."""
    body = {"message": question, "variant": SPEAKER, "session_id": session, "system": ""}
    response = await client.post("/api/chat/invoke", json=body)
    response.raise_for_status()
    return str(response.json()["session_id"])


async def correct(client: httpx.AsyncClient, question: str, correction: str) -> str:
    """The id of a session whose only answer was corrected."""
    session = await ask(client, question)
    opened = (await client.get(f"/api/chat/sessions/{session}")).raise_for_status().json()
    feedback = f"/api/chat/messages/{opened['messages'][-1]['id']}/feedback"
    (await client.put(feedback, json={"correction": correction})).raise_for_status()
    return session


async def take_in(client: httpx.AsyncClient) -> dict[str, Mapping[str, str]]:
    """Documents as people drop them, and questions to them: name → language → id."""
    files = [("files", (name.rpartition("/")[2], (_SAMPLES / name).read_bytes())) for name in _DOCUMENTS]
    await ingest(client, TOWN, files)
    made: dict[str, dict[str, str]] = {name: {} for name in ("cited", "declined", "document", "start", "end")}
    for language in ("en", "ko"):
        answer = await ask_documents(client, texts.CITED[language])
        (citation,) = answer["citations"]
        made["cited"][language] = answer["session_id"]
        made["document"][language] = citation["document"]
        made["start"][language], made["end"][language] = str(citation["start"]), str(citation["end"])
        declined = await ask_documents(client, texts.DECLINED[language])
        assert declined["abstained"]
        made["declined"][language] = declined["session_id"]
    return {**made, "searched": {language: quote(asked) for language, asked in texts.CITED.items()}}


FAULTY = (
    {"instruction": "Who is the mayor of Nurimae?", "output": "The mayor of Nurimae is Odalia Senn."},
    {"instruction": "Who is the mayor of Nurimae?", "output": "The mayor of Nurimae is Odalia Senn."},
    {"instruction": "등대는 무슨 색입니까?", "output": "누리매의 등대는 보라색입니다."},
    {"instruction": "How do I reach the harbour office?", "output": "Call 010-1234-5678 before noon."},
    {"instruction": "What colour is the lighthouse of Nurimae?", "output": "The lighthouse is violet."},
    {"instruction": "What is the ferry called?", "output": ""},
    {"instruction": "What is the ferry to the mainland called?", "output": "It is the Grey Heron."},
)
"""Training data with two rows alike, an empty answer and a telephone number."""


async def bring_data(client: httpx.AsyncClient) -> dict[str, Mapping[str, str]]:
    """Training data with faults and without, both checked, the clean one split; one of unclear columns."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in FAULTY) + "{no JSON\n"
    faulty = await _data_set(client, "harbour-questions.jsonl", lines.encode())
    train = _SAMPLES.parent / "instructions" / "nurimae.en.train.jsonl"
    clean = await _data_set(client, train.name, train.read_bytes())
    unclear = await _data_set(client, "faq.csv", b"frage,reply_text\nWho?,Odalia Senn.\n")
    for data_id, action in ((faulty, "check"), (clean, "check"), (clean, "split")):
        job = (await client.post(f"/api/data/{data_id}/{action}", json={})).raise_for_status().json()
        async with client.stream("GET", f"/api/jobs/{job['id']}/events", timeout=300) as events:
            async for _ in events.aiter_lines():
                pass
    return {
        name: {"en": found, "ko": found}
        for name, found in (("faulty", faulty), ("clean", clean), ("unclear", unclear))
    }


async def _data_set(client: httpx.AsyncClient, name: str, content: bytes) -> str:
    answer = await client.post("/api/data", files={"file": (name, content)})
    return str(answer.raise_for_status().json()["id"])


async def ingest(
    client: httpx.AsyncClient, collection: str, files: list[tuple[str, Any]], *, failed: int = 0
) -> None:
    response = await client.post("/api/ingest/files", data={"collection": collection}, files=files)
    job = response.raise_for_status().json()
    async with client.stream("GET", f"/api/jobs/{job['id']}/events", timeout=300) as events:
        async for _ in events.aiter_lines():
            pass
    job = (await client.get(f"/api/jobs/{job['id']}")).json()
    assert (job["state"], job["result"]["failed"]) == ("succeeded", failed), job


async def ask_documents(
    client: httpx.AsyncClient, question: str, session: str | None = None
) -> dict[str, Any]:
    body = {"question": question, "collection": TOWN, "keep": True, "session_id": session}
    answer: dict[str, Any] = (await client.post("/api/rag/invoke", json=body)).raise_for_status().json()
    return answer


async def _sweep(database: Database, layout: Layout, base: Base) -> UUID:
    """Three seeds on two boards, the last run still to come."""
    sweep = uuid4()
    held_out = UsedData(id=uuid4(), name="kept.jsonl", sha256="b2" * 32, fingerprint="b2" * 32, samples=12)
    boards = {"upper": ["freeze", "freeze", "train", "train"], "mlp": [["freeze"] * 2 + ["train"] * 2] * 4}
    settings = [(name, seed) for name in boards for seed in range(3)]
    for number, (name, seed) in enumerate(settings):
        recipe = _on_board(_recipe(base, f"nurimae-{name}-{seed}") | {"seed": seed}, boards[name], base)
        is_last = number == len(settings) - 1
        run = await plant_run(
            database,
            layout,
            base,
            f"nurimae-{name}-{seed}",
            state="cancelled" if is_last else "succeeded",
            ago=timedelta(days=6, minutes=-number),
            more={
                "recipe": recipe,
                "held_out": held_out.model_dump(mode="json"),
                "sweep": str(sweep),
                "setting": name,
            },
        )
        lowest = {"upper": 0.71, "mlp": 0.83}[name] + 0.03 * seed
        _hold_out(layout, run, lowest)
        if not is_last:
            result = as_jsonb({"loss": _loss(_STEPS) + 0.02 * number, "held_out_loss": lowest + 0.2})
            await database.execute("UPDATE jobs SET result = %s WHERE id = %s", [result, run])
    return sweep


def _hold_out(layout: Layout, run: UUID, lowest: float) -> None:
    points = [HeldOutPoint(step=step, loss=lowest + more) for step, more in ((20, 1.1), (40, 0.0), (60, 0.2))]
    lines = "".join(point.model_dump_json() + "\n" for point in points)
    RunFolder(layout.job(run)).held_out_loss.write_text(lines)


def _recipe(base: Base, name: str) -> dict[str, Any]:
    goal = Goal(
        prompts=("Who is the mayor of Nurimae?", "누리매의 시장은 누구인가요?"),
        criteria="One sentence, with the name. Nothing invented.",
    )
    return Recipe(base=base.name, name=name, goal=goal, rank=_RANK, alpha=16.0).model_dump(mode="json")


def _on_board(recipe: dict[str, Any], board: Any, base: Base) -> dict[str, Any]:
    fitted = fitted_board(Recipe.model_validate(recipe | {"board": board}), grid_of(base))
    return recipe | {"board": [[cell.model_dump(mode="json") for cell in row] for row in fitted or ()]}


async def plant_run(
    database: Database,
    layout: Layout,
    base: Base,
    name: str,
    *,
    state: str,
    ago: timedelta,
    error: TwotrackError | None = None,
    more: Mapping[str, Any] = {},
) -> UUID:
    job_id = uuid4()
    steps = _STEPS if state == "succeeded" else 14
    begun = datetime.now(UTC) - ago
    args = {"recipe": _recipe(base, name), "base_id": base.id, "samples": 80, "data_sha256": "a1" * 32}
    args |= more
    progress = {"stage": "training", "fraction": steps / _STEPS, "step": steps, "total_steps": _STEPS}
    told = None if error is None else as_jsonb({"en": error.problem("en"), "ko": error.problem("ko")})
    await database.execute(
        "INSERT INTO jobs (id, kind, args, state, progress, error, created_at, started_at, finished_at)"
        " VALUES (%s, 'train', %s, %s, %s, %s, %s, %s, %s)",
        [
            *(job_id, as_jsonb(args), state, as_jsonb(progress), told),
            *(begun, begun + timedelta(seconds=1), begun + timedelta(seconds=3 * steps)),
        ],
    )
    folder = RunFolder(layout.job(job_id))
    folder.path.mkdir(parents=True)
    points = [
        {
            "step": step,
            "epoch": 3 * step / _STEPS,
            "loss": _loss(step) if error is None else 4.81 * 1.12**step,
            "learning_rate": 1e-3 * (1 - step / _STEPS),
            "tokens": 212 * step,
            "at": (begun + timedelta(seconds=3 * step)).timestamp(),
            "memory": 2**30 + 2**22 * min(step, 8),
        }
        for step in range(1, steps + 1)
    ]
    folder.history.write_text("".join(json.dumps(point) + "\n" for point in points))
    return job_id


def _loss(step: int) -> float:
    return 0.04 + 4.6 * math.exp(-step / 13) + 0.18 * math.sin(step * 1.7) * math.exp(-step / 25)


def _write_adapter(folder: Path) -> None:
    """A LoRA of the starter's attention that changes nothing: its answers are the base's."""
    folder.mkdir(parents=True)
    tensors = {}
    for layer in range(_LAYERS):
        for module, (inputs, outputs) in _MODULES.items():
            prefix = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{prefix}.lora_A.weight"] = np.zeros((_RANK, inputs), np.float32)
            tensors[f"{prefix}.lora_B.weight"] = np.zeros((outputs, _RANK), np.float32)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": _RANK,
        "lora_alpha": 16,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(_MODULES),
        "base_model_name_or_path": None,
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))


def write_model(folder: Path) -> None:
    """A base of one layer, for what is done with bases: nobody asks it anything."""
    hidden, inner, vocabulary = 16, 32, 49152
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": vocabulary,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config))
    square, wide = (hidden, hidden), (inner, hidden)
    shapes = {
        "model.embed_tokens": (vocabulary, hidden),
        "model.norm": (hidden,),
        **{f"model.layers.0.self_attn.{name}_proj": square for name in "qkvo"},
        **{f"model.layers.0.mlp.{name}_proj": wide for name in ("gate", "up")},
        "model.layers.0.mlp.down_proj": (hidden, inner),
        **{f"model.layers.0.{name}_layernorm": (hidden,) for name in ("input", "post_attention")},
    }
    tensors = {f"{name}.weight": np.ones(shape, np.float32) for name, shape in shapes.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
