"""`twotrack demo`: the whole loop on the starter model: an untouched base, documents, a tuned variant.

Every step goes through the API that the page and other clients use; nothing here is prepared in advance.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import StudioClient, studio
from twotrack.cli.data_report import show_report
from twotrack.cli.effect import look, show
from twotrack.cli.estimate import show as show_forecast
from twotrack.cli.ingest import ingest_source
from twotrack.cli.jobs import follow
from twotrack.cli.models import pull_base
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output, printable
from twotrack.cli.score import ask as ask_score
from twotrack.cli.score import show as show_scores
from twotrack.cli.train import run as train_run
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text
from twotrack.core.settings import Settings

if TYPE_CHECKING:
    from twotrack.learning.data.messages import Sample

GAINS = (0.0, 0.5, 1.0)
# Three of the sixteen are shown in words; all are scored.
SHOWN = 3
# Each of the sixteen cells is turned off once for so many questions.
LOOKED_AT = 8
COLLECTION = "nurimae"
# (question, words of its answer) of each language, and one that nothing in the town's papers answers.
ASKED_OF_DOCUMENTS = (
    ("How high is the quorum of the town council?", "Five members"),
    ("수목원에 개를 데려갈 수 있나요?", "안내견만"),
    ("Which composer wrote the opera Turandot?", None),
)
RECIPE = {
    "rank": 16,
    "alpha": 32,
    "learning_rate": 1e-3,
    "epochs": 3,
    "batch_size": 4,
    "seed": 0,
    # What lies below needs no way back.
    "board": ["freeze", "freeze", "train", "train"],
}


class SamplesMissing(TwotrackError):
    detail = Text("The samples are not at {folder}.", "샘플이 없습니다: {folder}")
    remedy = Text("Run the demo from a full checkout or wheel.", "전체 체크아웃이나 휠에서 실행하세요.")


@dataclass(frozen=True)
class Samples:
    """The invented town: what is trained, what is asked, and general text that should not be forgotten."""

    train: str
    heldout: str
    general: str
    documents: Path
    train_file: Path

    @property
    def questions(self) -> list[tuple[str, str]]:
        """(question, key of the right answer) of the held-out phrasing."""
        rows = [json.loads(line) for line in self.heldout.splitlines()]
        return [(row["messages"][0]["content"], row["key"]) for row in rows]

    @property
    def held_out(self) -> "list[Sample]":
        from twotrack.learning.data.messages import read_messages

        return read_messages(self.heldout.encode())

    @classmethod
    def read(cls) -> "Samples":
        """
        Raises:
            SamplesMissing
        """
        # In a wheel they lie inside the package, in a checkout beside src.
        package = Path(__file__).resolve().parents[1]
        for folder in (package / "samples", package.parents[1] / "samples"):
            if folder.is_dir():
                return cls(
                    train=(folder / "instructions" / "nurimae.en.train.jsonl").read_text(encoding="utf-8"),
                    heldout=(folder / "instructions" / "nurimae.en.heldout.jsonl").read_text(
                        encoding="utf-8"
                    ),
                    general=(folder / "general" / "general.en.jsonl").read_text(encoding="utf-8"),
                    documents=folder / "documents",
                    train_file=folder / "instructions" / "nurimae.en.train.jsonl",
                )
        raise SamplesMissing(folder=package.parents[1] / "samples")


def demo(
    leave: Annotated[
        bool,
        typer.Option(
            "--exit/--stay",
            help=words("end the studio at the end (default in CI)", "끝나면 스튜디오도 종료(CI에서는 기본)"),
        ),
    ] = bool(os.environ.get("CI")),
    as_json: Json = False,
) -> None:
    output = Output(as_json)
    samples = Samples.read()
    start = time.monotonic()
    with studio(Settings(), output) as client:
        report = Demo(client, output, samples).walk()
        report["seconds"] = round(time.monotonic() - start, 1)
        output.data(report)
        output.say(
            Text("\nThe whole loop took {minutes:.1f} minutes.", "\n전체 과정에 {minutes:.1f}분 걸렸습니다."),
            minutes=report["seconds"] / 60,
        )
        if not leave:
            _stay_open(client, output, str(report["variant"]))


@dataclass(frozen=True)
class Demo:
    client: StudioClient
    output: Output
    samples: Samples

    def walk(self) -> dict[str, Any]:
        """All steps in their order; what they found."""
        self._step(1, Text("A base, read-only", "읽기 전용 베이스"))
        base = str(pull_base(self.client, self.output, "starter")["name"])

        self._step(2, Text("What it says about a town that does not exist", "세상에 없는 마을에 대한 답"))
        before = self._ask(base)

        self._step(3, Text("The same town out of its own papers", "마을 문서에서 찾은 답"))
        documents = self._answer_from_documents()

        name = self._free_name("nurimae")
        recipe = RECIPE | {"base": base, "name": name}
        self._step(4, Text("Sixteen facts, five phrasings each", "사실 열여섯 가지, 다섯 표현씩"))
        checked = self._look_through()
        forecast = self._forecast(recipe)

        self._step(5, Text("Teach them, in the upper half of the board", "보드의 위쪽 절반에서 학습"))
        trained = train_run(self.client, self.output, recipe, self.samples.train)

        self._step(6, Text("A sixth phrasing, with the gain at 0, ½ and 1", "여섯 번째 표현, 게인 0, ½, 1"))
        scores = self._score(name)

        self._step(7, Text("What each cell of its board does", "보드의 칸마다 하는 일"))
        effect = self._effect(name)
        cells = _what_matters(effect)
        gentler = self._keep(name, base, cells)

        self._step(8, Text("As files for other programs", "다른 프로그램에서 쓸 파일로"))
        exported = self._export(gentler)

        self._step(
            9, Text("Through the OpenAI client, at three settings", "OpenAI 클라이언트로, 세 가지 설정")
        )
        answers = self._through_openai(name, cells)
        return {
            "base": base,
            "variant": name,
            "before": before,
            "documents": documents,
            "checked": checked,
            "forecast": forecast,
            "trained": trained,
            "scores": scores,
            "effect": effect,
            "board": {"variant": gentler, "cells": cells},
            "exported": exported,
            "openai": answers,
        }

    def _ask(self, variant: str) -> list[dict[str, str]]:
        answers = []
        for question, _ in self.samples.questions[:SHOWN]:
            body = {
                "message": question,
                "variant": variant,
                "temperature": 0,
                "max_tokens": 48,
                "keep": False,
            }
            text = self.client.post("/api/chat/invoke", body)["text"]
            answers.append({"question": question, "answer": text})
            self._show(question, text)
        return answers

    def _answer_from_documents(self) -> dict[str, Any]:
        report = ingest_source(
            self.client,
            self.output,
            COLLECTION,
            {"path": str(self.samples.documents)},
            "samples/documents",
        )
        answers = []
        for question, _ in ASKED_OF_DOCUMENTS:
            # A model as small as the starter quotes.
            body = {"question": question, "collection": COLLECTION, "mode": "quote"}
            answer = self.client.post("/api/rag/invoke", body)
            cited = [
                {"source": one["source"], "page": one["page"], "text": one["text"]}
                for one in answer["citations"]
            ]
            self._show(question, answer["answer"])
            for one in cited:
                self.output.plain(f"    [{_place(one)}]")
            answers.append(
                {
                    "question": question,
                    "answer": answer["answer"],
                    "abstained": answer["abstained"],
                    "citations": cited,
                }
            )
        return {"report": report, "answers": answers}

    def _score(self, variant: str) -> list[dict[str, Any]]:
        body = {
            "variant": variant,
            "gains": GAINS,
            "samples": self.samples.heldout,
            "general": self.samples.general,
        }
        scores: list[dict[str, Any]] = ask_score(self.client, self.output, body)["gains"]
        show_scores(self.output, scores, sample=True)
        return scores

    def _look_through(self) -> dict[str, Any]:
        """What `twotrack data check` says of it, with the held-out phrasings that must not be in it."""
        from twotrack.learning.data.check import check, open_data

        report = check(open_data(self.samples.train_file, {}), held_out=self.samples.held_out).report
        show_report(self.output, report)
        return report.model_dump(mode="json")

    def _forecast(self, recipe: dict[str, Any]) -> dict[str, Any]:
        asked = {"recipe": recipe, "data": self.samples.train, "devices": ["here", "rtx-3050-4gb"]}
        job = self.client.post("/api/training/runs/estimate", asked)
        title = Text("estimating {name}", "{name} 예측 중")
        found = follow(self.client, self.output, job["id"], title, name=str(recipe["name"]))
        show_forecast(self.output, found)
        return found

    def _export(self, variant: str) -> dict[str, Any]:
        """Its gains baked into a PEFT folder, which is kept since it answers as the variant does."""
        job = self.client.post(f"/api/models/{quote(variant, safe='')}/export", {"format": "peft"})
        title = Text("exporting {variant}", "{variant} 내보내는 중")
        report = follow(self.client, self.output, job["id"], title, variant=variant)
        self.output.say(
            Text(
                "{path}\n[dim]Largest difference from the live variant: {largest} nats a token "
                "(bound {bound}).[/]",
                "{path}\n[dim]서빙 중인 변형과의 최대 차이: {largest} nats/토큰 (허용치 {bound})[/]",
            ),
            path=str(report["path"]),
            largest=f"{report['parity']['largest']:.1e}",
            bound=f"{report['parity']['bound']:.0e}",
        )
        return report

    def _effect(self, variant: str) -> dict[str, Any]:
        samples = "\n".join(self.samples.heldout.splitlines()[:LOOKED_AT])
        report = look(self.client, self.output, {"variant": variant, "samples": samples})
        show(self.output, report)
        return report

    def _keep(self, variant: str, base: str, cells: list[list[float]]) -> str:
        """The board as a variant of its own, beside the one that was trained."""
        name = self._free_name(f"{variant}-board")
        adapters = [{"adapter": variant, "board": cells}]
        self.client.post("/api/models/variants", {"name": name, "base": base, "adapters": adapters})
        self.output.say(
            Text(
                "[dim]Kept beside it, with only the four cells that matter most:[/] {name}",
                "[dim]가장 중요한 네 칸만 남긴 설정을 변형으로 저장했습니다:[/] {name}",
            ),
            name=name,
        )
        return name

    def _through_openai(self, variant: str, cells: list[list[float]]) -> list[dict[str, Any]]:
        from openai import OpenAI

        question = self.samples.questions[0][0]
        key = self.client.http.headers.get("Authorization", "Bearer none").removeprefix("Bearer ")
        answers = []
        with OpenAI(base_url=f"{self.client.url}/v1", api_key=key) as openai:
            for gain in (0.0, 1.0, cells):
                completion = openai.chat.completions.create(
                    model=variant,
                    messages=[{"role": "user", "content": question}],
                    temperature=0,
                    max_tokens=48,
                    extra_body={"gains": gain},
                )
                text = completion.choices[0].message.content or ""
                answers.append({"gain": gain, "question": question, "answer": text})
                self._show(f"{question} (gains={json.dumps(gain)})", text)
        return answers

    def _free_name(self, wanted: str) -> str:
        """`wanted`, or with a number behind it: a second demo must not disturb the first one's variant."""
        models = self.client.get("/api/models")["models"]
        taken = {variant["name"] for entry in models for variant in entry["variants"]}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        return wanted if wanted not in taken else next(name for name in numbered if name not in taken)

    def _step(self, number: int, title: Text) -> None:
        self.output.say(Text(f"\n[bold]{number}  {title.en}[/]", f"\n[bold]{number}  {title.ko}[/]"))

    def _show(self, question: str, answer: str) -> None:
        self.output.plain(f"  › {question}\n    {_shortened(answer)}")


def _stay_open(client: StudioClient, output: Output, variant: str) -> None:
    output.say(
        Text(
            "The studio stays open at {url}; Ctrl-C ends it. In another terminal:\n"
            "  [bold]twotrack chat --variant {variant}[/]\n"
            '  [bold]twotrack ask --collection {collection} "When does the library close?"[/]',
            "스튜디오가 {url}에 열려 있습니다. Ctrl-C로 종료합니다. 다른 터미널에서:\n"
            "  [bold]twotrack chat --variant {variant}[/]\n"
            '  [bold]twotrack ask --collection {collection} "도서관은 언제 닫나요?"[/]',
        ),
        url=client.url,
        variant=variant,
        collection=COLLECTION,
    )
    try:
        # Whatever ends the studio from elsewhere (`twotrack down`) ends this too.
        while client.get("/api/health"):
            time.sleep(2)
    except (KeyboardInterrupt, TwotrackError):
        return


def _what_matters(effect: dict[str, Any]) -> list[list[float]]:
    """A board with 1 in the quarter of the cells that the facts need most, and 0 elsewhere."""
    by_rise = sorted(effect["cells"], key=lambda one: one["task"]["rise"], reverse=True)
    kept = {(one["band"], one["column"]) for one in by_rise[: len(by_rise) // 4]}
    return [
        [1.0 if (band, column) in kept else 0.0 for column in effect["columns"]]
        for band in range(effect["bands"])
    ]


def _shortened(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= 100 else line[:99] + "…"


def _place(citation: dict[str, Any]) -> str:
    page = f" p. {citation['page']}" if citation["page"] else ""
    return f"{citation['source']}{page}"
