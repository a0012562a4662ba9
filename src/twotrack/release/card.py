"""What is told beside exported weights: a model card (Hugging Face's form) and an Ollama Modelfile."""

import json
from collections.abc import Sequence

from twotrack.equalizer.board import Board
from twotrack.release.schemas import ExportReport

_LIBRARY = {"peft": "peft", "merged": "transformers", "gguf": "gguf"}


def model_card(report: ExportReport, source: str) -> str:
    """`README.md`: what this is, of what it was made, and how far from the original it answers.

    `source` is where the base came from; a folder of this machine is not told.
    """
    public = source if source.startswith(("hf:", "pypi:")) else None
    # JSON's strings are YAML's too, and names may hold anything.
    front = [
        "---",
        f"library_name: {_LIBRARY[report.format]}",
        f"base_model: {json.dumps(_hub_name(source) or report.base, ensure_ascii=False)}",
        "tags: [twotrack]",
        *([f"license: {json.dumps(report.base_license)}"] if report.base_license else []),
        "---",
    ]
    lines = [
        *front,
        "",
        f"# {_plain(report.variant)}",
        "",
        f"Exported as {report.format}{f' ({report.quantization})' if report.quantization else ''}.",
        "",
        "## Base",
        "",
        f"- {_plain(report.base)}" + (f" ({_plain(public)})" if public else ""),
        f"- fingerprint (SHA-256 over its files): `{report.base_id}`",
        f"- licence: {_plain(report.base_license or 'not stated by the base')}; it holds for this export too",
    ]
    if report.dequantized:
        lines.append("- the base is quantized; merged was its dequantized 32-bit copy")
    lines += ["", "## Adapters, with their gains baked in", ""]
    for adapter in report.adapters:
        lines.append(f"- {_plain(adapter.name)}: data `{adapter.data_fingerprint}`")
        if adapter.board is None:
            lines.append(f"  - gain {adapter.gain:g}")
        else:
            lines.append(f"  - {_board(adapter.board)}")
    if not report.adapters:
        lines.append("None." if report.base_board else "None: this is the base itself.")
    if report.base_board is not None:
        lines += ["", "## The base's own board, folded into its output projections", ""]
        lines.append(f"- attention and MLP, {_board(report.base_board)}")
    parity = report.parity
    bound = "recorded, without a bound" if parity.bound is None else f"allowed {parity.bound:g}"
    lines += [
        "",
        "## Parity with the live variant",
        "",
        f"{parity.live} against {parity.exported}; absolute differences in log-probability (nats), {bound}.",
        "",
        "| prompt | tokens | largest | mean | greedy answer |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in parity.prompts:
        same = "the same" if one.parts_at is None else f"parts at token {one.parts_at}"
        shown = _plain(one.prompt[:60]).replace("|", "\\|")
        lines.append(f"| {shown} | {one.tokens} | {one.largest:.1e} | {one.mean:.1e} | {same} |")
    return "\n".join(lines) + "\n"


def _board(board: Board) -> str:
    rows = "; ".join(" ".join(f"{gain:g}" for gain in row) for row in board.cells)
    return f"board ({board.expansion}), bands from the input: {rows}"


def modelfile(stop_texts: Sequence[str], context_length: int) -> str:
    """For `ollama create NAME -f Modelfile` (https://docs.ollama.com/modelfile). The chat template is in the
    GGUF file, from where Ollama takes it."""
    stops = [f"PARAMETER stop {json.dumps(text, ensure_ascii=False)}" for text in stop_texts]
    return "\n".join(["FROM ./model.gguf", f"PARAMETER num_ctx {context_length}", *stops]) + "\n"


def hub_or_name(source: str, name: str) -> str:
    """What PEFT is told the base is."""
    return _hub_name(source) or name


def _hub_name(source: str) -> str | None:
    return source.removeprefix("hf:").partition("@")[0] if source.startswith("hf:") else None


def _plain(text: str) -> str:
    """On one line, with nothing in it that Markdown would take for HTML."""
    return " ".join(text.split()).replace("<", "&lt;")
