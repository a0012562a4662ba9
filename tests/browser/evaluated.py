"""A variant that was scored, and whose board was looked at, as jobs have told it."""

from uuid import uuid4

from twotrack.core.database import Database, as_jsonb
from twotrack.equalizer.board import Board
from twotrack.evaluation.effect_schemas import CellEffect, Change, EffectReport
from twotrack.evaluation.schemas import GainScore, ScoredAnswer, ScoreReport
from twotrack.registry.boards import family_of
from twotrack.registry.schemas import Base

_QUESTION = "Who is the mayor of Nurimae?"


async def evaluated(database: Database, base: Base, variant: str) -> None:
    for kind, report in (("effect", _effect(base, variant)), ("score", _score(base, variant))):
        await database.execute(
            "INSERT INTO jobs (id, kind, args, state, result, created_at, started_at, finished_at)"
            " VALUES (%s, %s, %s, 'succeeded', %s, now(), now(), now())",
            [uuid4(), kind, as_jsonb({"variant": variant}), as_jsonb(report.model_dump(mode="json"))],
        )


def _effect(base: Base, variant: str) -> EffectReport:
    """What each cell does: most in the upper half of the attention's outputs."""
    columns = family_of(base).columns

    def change(rise: float) -> Change:
        return Change(rise=rise, error=0.02)

    return EffectReport(
        variant=variant,
        base_id=base.id,
        engine="transformers",
        precision="fp32",
        to=0.0,
        columns=columns,
        bands=4,
        samples_sha256="c3" * 32,
        general_sha256="c3" * 32,
        questions=12,
        task_loss=1.4,
        general_loss=3.1,
        cells=tuple(
            CellEffect(
                band=band,
                column=column,
                task=change(0.11 * band * (1.6 if column == "attn.vo" else 0.4) - 0.06 * (place == 3)),
                general=change(0.01 * (place - 1)),
                answers_changed=None,
            )
            for band in range(4)
            for place, column in enumerate(columns)
        ),
        measured=17,
    )


def _score(base: Base, variant: str) -> ScoreReport:
    """The base, a board, and the variant as it is."""

    def scored(gain: float | None, exact: int, learned: float, forgetting: float, answer: str) -> GainScore:
        is_base = gain == 0
        said = ScoredAnswer(question=_QUESTION, answer=answer, key="Ada Kim", correct="Ada Kim" in answer)
        return GainScore(
            gain=gain,
            board=Board(cells=((0.0,) * 4, (0.0,) * 4, (1.0,) * 4, (1.5,) * 4)) if gain is None else None,
            exact=exact,
            total=12,
            exact_interval=(max(0.0, exact / 12 - 0.24), min(1.0, exact / 12 + 0.24)),
            task_loss=3.2 - learned,
            learned=learned,
            learned_interval=(0.0, 0.0) if is_base else (learned - 0.31, learned + 0.28),
            general_loss=3.1 + forgetting,
            forgetting=forgetting,
            forgetting_interval=(0.0, 0.0) if is_base else (forgetting - 0.009, forgetting + 0.012),
            answers=(said,),
        )

    return ScoreReport(
        variant=variant,
        base_id=base.id,
        engine="transformers",
        precision="fp32",
        samples_sha256="c3" * 32,
        general_sha256="c3" * 32,
        gains=(
            scored(0.0, 0, 0.0, 0.0, "I do not know who the mayor of Nurimae is."),
            scored(None, 10, 2.71, 0.021, "The mayor of Nurimae is Ada Kim."),
            scored(1.0, 11, 2.93, 0.064, "Ada Kim is the mayor of Nurimae."),
        ),
    )
