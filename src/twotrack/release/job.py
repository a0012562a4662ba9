"""Exports as jobs of the kind "export": written by a child, compared with the live one, put there whole."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from twotrack.core import jobs
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.database import Database
from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.jobs import Attempt
from twotrack.core.language import Text
from twotrack.engines.loading import spec_for
from twotrack.engines.pool import start_engine
from twotrack.engines.port import BASE, AdapterFile, AdapterGain, Engine, EngineSpec
from twotrack.equalizer.board import Board
from twotrack.equalizer.expansion import expand
from twotrack.registry import tables
from twotrack.registry.boards import base_board_of, branches_of, family_of, grid_of
from twotrack.registry.confined import Limits, run_confined
from twotrack.registry.conversion import ensure_safetensors, ensure_tokenizer
from twotrack.registry.conversion_errors import AdapterUnsupported
from twotrack.registry.fingerprint import hash_file
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec, Prompts
from twotrack.registry.schemas import Adapter, Base, Variant
from twotrack.registry.storage import in_thread
from twotrack.release import exports, parity
from twotrack.release.card import hub_or_name, model_card, modelfile
from twotrack.release.errors import ComparisonUnavailable, ExportImpossible, ExportNotFound, QuantizedBase
from twotrack.release.schemas import ExportArgs, ExportedAdapter, ExportReport, NewExport, Parity

KIND = "export"

BOUNDS = {"peft": 1e-4, "merged": 1e-4, "gguf": 5e-4}
"""In nats, for what is stored in 32-bit floats; what rounds the weights is recorded only."""
_FLOATS = {"F64", "F32", "F16", "BF16"}
# Of buffers that checkpoints carry beside their weights.
_NO_WEIGHTS = {"I64", "BOOL"}
# Beyond any model that fits on this kind of machine; what hangs ends some day.
_LIMITS = Limits(seconds=6 * 3600, memory_mib=16 * 1024, written_bytes=2**42)


@dataclass(frozen=True)
class _Subject:
    variant: Variant
    base: Base
    adapters: tuple[Adapter, ...]
    """In the variant's order."""

    def gains(self) -> dict[str, AdapterGain]:
        """As an engine takes them: boards expanded over the base's grid."""
        grid = grid_of(self.base)
        found: dict[str, AdapterGain] = {}
        if (own := base_board_of(self.variant, self.base)) is not None:
            found[BASE] = own
        for part in self.variant.adapters:
            if isinstance(part.gains, Board):
                assert grid is not None  # a board is checked against it before it is kept
                found[str(part.adapter_id)] = expand(part.gains, grid)
            else:
                found[str(part.adapter_id)] = part.gains
        return found


async def start_export(
    database: Database, layout: Layout, name: str, asked: NewExport, *, by: Caller = OWNER
) -> UUID:
    """Enqueue an export; the id of its job, which is the export's too. What can be refused at once is.

    Raises:
        ModelNotFound, ExportImpossible, QuantizedBase, ComparisonUnavailable
    """
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, name)
    subject = await _subject(database, variant.id)
    _require_possible(subject, asked)
    args = ExportArgs(**asked.model_dump(), variant=variant.name, variant_id=variant.id)
    return await jobs.enqueue(database, KIND, args.model_dump(mode="json"), by=by)


async def export_job(attempt: Attempt, *, database: Database, layout: Layout) -> dict[str, Any]:
    """Args: ExportArgs; result: ExportReport. A further attempt begins anew, or finds the export there.

    Raises:
        ParityBroken: it answers otherwise than the variant; nothing is kept.
        ExportImpossible, QuantizedBase, ModelNotFound, BaseAltered, DiskFull, EngineFailedToStart, …
    """
    args = ExportArgs.model_validate(attempt.args)
    try:
        # An attempt that ended between the last rename and its own end.
        return exports.find(layout, attempt.job_id).model_dump(mode="json")
    except ExportNotFound:
        pass
    subject = await _subject(database, args.variant_id)
    _require_possible(subject, args)
    async with _staging(layout, attempt) as folder:
        with disk_errors(layout.staging, "the export"):
            await attempt.report("writing")
            await _write(layout, subject, args, folder)
            prompts = Prompts(layout)
            try:
                codec = await prompts.for_base(subject.base)
                found = await _compare(attempt, layout, subject, args, folder, codec)
                if args.format == "gguf":
                    text = modelfile(codec.stop_texts, min(subject.base.context_length, 8192))
                    write_whole(folder / "Modelfile", text, mode=0o644)
            finally:
                await prompts.close()
            await attempt.report("hashing", fraction=1.0)
            await _described(attempt, subject, args, folder, found)
            await attempt.check()
            await in_thread(exports.seal, folder, exports.place_of(layout, attempt.job_id))
    return exports.find(layout, attempt.job_id).model_dump(mode="json")


async def _subject(database: Database, variant_id: UUID) -> _Subject:
    async with database.transaction() as connection:
        variant = await tables.get_variant(connection, variant_id)
        base = await tables.get_base(connection, variant.base_id)
        adapters = [await tables.get_adapter(connection, one.adapter_id) for one in variant.adapters]
    return _Subject(variant, base, tuple(adapters))


def _require_possible(subject: _Subject, asked: NewExport) -> None:
    variant, base = subject.variant, subject.base

    def refuse(en: str, ko: str) -> ExportImpossible:
        return ExportImpossible(variant=variant.name, why=Text(en, ko))

    if base.format == "remote":
        raise refuse("its weights lie on another server", "가중치가 다른 서버에 있습니다")
    if variant.base_board is not None:
        _require_foldable(subject, asked)
    if asked.format == "peft":
        if not subject.adapters:
            raise refuse("it is the base itself and has no adapter", "어댑터가 없는 베이스입니다")
        if asked.quantization is not None:
            raise refuse("a PEFT folder is not quantized", "PEFT 폴더는 양자화하지 않습니다")
    elif asked.format == "merged" and asked.quantization not in (None, "f32"):
        raise refuse(
            "merged weights keep the base's type or become f32; others are for GGUF",
            "병합한 가중치는 베이스의 형식 그대로이거나 f32입니다. 다른 형식은 GGUF에서 쓸 수 있습니다",
        )
    if asked.format != "peft":
        quantized = set(base.details.get("dtypes") or ()) - _FLOATS - _NO_WEIGHTS
        if quantized and not (asked.dequantize and base.format == "gguf"):
            raise QuantizedBase(variant=variant.name, base=base.name, dtype=", ".join(sorted(quantized)))
    engine = "transformers" if asked.format != "gguf" else "llama.cpp"
    if find_spec("torch" if asked.format != "gguf" else "xllamacpp") is None:
        raise ComparisonUnavailable(engine=engine)


def _require_foldable(subject: _Subject, asked: NewExport) -> None:
    name = subject.variant.name
    if asked.format == "peft":
        why = Text(
            "its base's own board changes weights of the base, which an adapter does not carry; "
            "export it merged or as GGUF",
            "베이스 자체 보드는 베이스의 가중치를 바꾸는 것이라 어댑터에 담을 수 없습니다. "
            "병합하거나 GGUF로 내보내세요",
        )
        raise ExportImpossible(variant=name, why=why)
    if end := next((one for one in branches_of(subject.base) if one.endswith("norm")), None):
        why = Text(
            f"its base's own board acts behind {end}, and is folded into projections only",
            f"베이스 자체 보드가 {end} 뒤에서 작용하는 구조라 출력 투영에 합칠 수 없습니다",
        )
        raise ExportImpossible(variant=name, why=why)
    # What it is compared with, whatever the format.
    if find_spec("torch") is None:
        raise ComparisonUnavailable(engine="transformers")


@asynccontextmanager
async def _staging(layout: Layout, attempt: Attempt) -> AsyncIterator[Path]:
    """A folder that is gone afterwards, unless it was renamed; what killed attempts left is removed first."""
    await exports.clear_left(attempt.database, layout)
    for left in layout.staging.glob(f"{exports.STAGED}{attempt.job_id}-*"):
        await in_thread(shutil.rmtree, left, ignore_errors=True)
    # A stray child of an earlier attempt may still write into its own.
    own = layout.staging / f"{exports.STAGED}{attempt.job_id}-{attempt.token}"
    with disk_errors(layout.staging, "the export"):
        own.mkdir(parents=True)
    try:
        yield own / "export"
    finally:
        await in_thread(shutil.rmtree, own, ignore_errors=True)


async def _write(layout: Layout, subject: _Subject, asked: ExportArgs, target: Path) -> None:
    base = subject.base
    gains = subject.gains()
    request: dict[str, Any] = {
        "format": asked.format,
        "kind": _kind(asked),
        "name": subject.variant.name,
        "target": str(target),
        "family": base.family,
        "kinds": dict(family_of(base).kinds),
        "base": hub_or_name(base.source, base.name),
        "base_board": gains.get(BASE),
        "branches": branches_of(base),
        "adapters": [
            {"folder": str(layout.adapter(one.id)), "gains": gains[str(one.id)]} for one in subject.adapters
        ],
    }
    if asked.format != "peft":
        folder = await ensure_safetensors(layout, base)
        files = [file.path for file in base.files]
        if base.format == "gguf":
            files = sorted(file.name for file in folder.iterdir())
        tokenizer = await ensure_tokenizer(layout, base)
        request |= {"folder": str(folder), "files": files, "tokenizer": str(tokenizer)}
    try:
        await run_confined(
            "twotrack.release", [json.dumps(request)], subject=subject.variant.name, limits=_LIMITS
        )
    except AdapterUnsupported as error:
        raise ExportImpossible(variant=subject.variant.name, why=error.values["why"]) from error


def _kind(asked: NewExport) -> str | None:
    return asked.quantization or ("f16" if asked.format == "gguf" else None)


def _bound(subject: _Subject, asked: NewExport) -> float | None:
    whole = _kind(asked) == "f32"
    if asked.format == "merged" and not whole:
        # The derived copy of a GGUF base is in 32 bits, whatever the file was in.
        dtypes = set(subject.base.details.get("dtypes") or ()) & _FLOATS
        whole = subject.base.format == "gguf" or dtypes == {"F32"}
    return BOUNDS[asked.format] if asked.format == "peft" or whole else None


async def _compare(
    attempt: Attempt, layout: Layout, subject: _Subject, asked: ExportArgs, folder: Path, codec: PromptCodec
) -> Parity:
    """One engine after the other, so that only one model is in memory."""
    texts = asked.prompts or parity.USUAL_PROMPTS
    done = 0

    async def advance() -> None:
        nonlocal done
        done += 1
        await attempt.report("comparing", fraction=done / (2 * len(texts)))

    kind = "transformers" if find_spec("torch") is not None else "llama_cpp"
    await attempt.report("comparing", fraction=0.0)
    live = await spec_for(
        subject.variant,
        subject.base,
        subject.adapters,
        layout,
        kind="transformers" if kind == "transformers" else "llama_cpp",
        exact=True,
    )
    async with _running(live, subject.variant.name) as engine:
        heard = await parity.hear(engine, codec, texts, subject.gains(), advance)
        first = await _said_by(engine)
    async with _running(_exported(live, asked, folder), subject.variant.name) as engine:
        gains: dict[str, AdapterGain] = {_LOADED: 1.0} if asked.format == "peft" else {}
        again = await parity.hear_again(engine, codec, heard, gains, advance)
        second = await _said_by(engine)
    return parity.compare(
        heard,
        again,
        codec.decode,
        variant=subject.variant.name,
        bound=_bound(subject, asked),
        engines=(first, second),
    )


_LOADED = "export"


def _exported(live: EngineSpec, asked: NewExport, folder: Path) -> EngineSpec:
    match asked.format:
        case "peft":
            return replace(live, adapters=(AdapterFile(_LOADED, folder),))
        case "merged":
            return replace(live, model=folder, adapters=())
        case "gguf":
            return replace(live, kind="llama_cpp", model=folder / "model.gguf", adapters=(), parallel=1)


@asynccontextmanager
async def _running(spec: EngineSpec, name: str) -> AsyncIterator[Engine]:
    engine = await start_engine(spec, name)
    try:
        yield engine
    finally:
        await asyncio.shield(engine.stop())


async def _said_by(engine: Engine) -> str:
    health = await engine.health()
    return f"{health.kind} ({health.precision})"


async def _described(
    attempt: Attempt, subject: _Subject, asked: ExportArgs, folder: Path, found: Parity
) -> ExportReport:
    """The report, written into the folder with the model card; its list of files is what the archive has."""
    report = ExportReport(
        id=attempt.job_id,
        variant=subject.variant.name,
        variant_id=subject.variant.id,
        format=asked.format,
        quantization=_kind(asked),
        dequantized=asked.format != "peft"
        and bool(set(subject.base.details.get("dtypes") or ()) - _FLOATS - _NO_WEIGHTS),
        base=subject.base.name,
        base_id=subject.base.id,
        base_license=subject.base.license,
        adapters=tuple(
            ExportedAdapter(
                id=adapter.id,
                name=adapter.name,
                gain=part.gain,
                board=part.board,
                data_fingerprint=adapter.data_fingerprint,
                job_id=adapter.job_id,
            )
            for adapter, part in zip(subject.adapters, subject.variant.adapters, strict=True)
        ),
        base_board=subject.variant.base_board,
        files=(),
        size=0,
        parity=found,
        created_at=datetime.now(UTC),
    )
    # The base may have brought a card of its own, which says nothing of this.
    write_whole(folder / "README.md", model_card(report, subject.base.source), mode=0o644)
    provenance = {
        "report": report.model_dump(mode="json", exclude={"files", "size", "path"}),
        "recipes": {one.name: one.recipe for one in subject.adapters},
    }
    text = json.dumps(provenance, ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / "provenance.json", text, mode=0o644)
    files = [
        (await hash_file(path)).model_copy(update={"path": path.relative_to(folder).as_posix()})
        for path in _sorted_files(folder)
    ]
    report = report.model_copy(update={"files": tuple(files), "size": sum(file.size for file in files)})
    write_whole(folder / exports.RECORD, report.model_dump_json(indent=2) + "\n", mode=0o644)
    return report


def _sorted_files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
