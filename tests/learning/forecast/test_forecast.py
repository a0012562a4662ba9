"""What fits where, what would fit instead, and when a plan is no tuning any more: sizes alone, no model."""

import json
from typing import Any

import pytest

from tests.learning.forecast.conftest import asked, llama_shape
from twotrack.core.errors import InvalidInput
from twotrack.learning.forecast.calibration import Calibration, PassMeasured
from twotrack.learning.forecast.compute import attention_in_tokens, flops
from twotrack.learning.forecast.devices import DEVICES, HERE, device_named, known
from twotrack.learning.forecast.forecast import Question, forecast_here, forecast_on
from twotrack.learning.forecast.schemas import DeviceForecast, Remedy
from twotrack.learning.forecast.workload import Load, RowSize

_GIB = 2**30


def test_shapes_have_the_parameters_that_their_makers_publish() -> None:
    assert llama_shape("llama-3-8b").parameters == 8_030_261_248
    assert round(llama_shape("midm-2-mini").parameters / 1e9, 1) == 2.3


def test_floating_point_operations_follow_the_parameters() -> None:
    question = asked("llama-3-8b", rank=8)
    found = flops(question.shape, question.recipe, question.columns, Load(1, 1_000, 0, 0, 1))
    # All but the embeddings and the output matrix, and the norms.
    assert question.shape.linear == 8_030_261_248 - 2 * 128_256 * 4_096 - 65 * 4_096
    assert found.base == 4 * 1_000 * question.shape.linear
    assert found.adapter == 6 * 1_000 * question.shape.trainable(question.columns, 8)
    assert (found.attention, found.logits) == (0, 0)
    again = flops(
        question.shape,
        question.recipe.model_copy(update={"gradient_checkpointing": True}),
        question.columns,
        Load(1, 1_000, 0, 10, 1),
    )
    assert again.base == 1.5 * found.base
    assert again.logits == 4 * 10 * 128_256 * 4_096


@pytest.mark.parametrize(
    ("base", "recipe", "device", "fits"),
    [
        # The presets in recipes/, on the cards that they name.
        (
            "llama-3-8b",
            {"method": "qlora", "rank": 8, "max_length": 768, "gradient_checkpointing": True},
            "rtx-3050-8gb",
            True,
        ),
        (
            "midm-2-mini",
            {"method": "qlora", "rank": 16, "max_length": 1024, "gradient_checkpointing": True},
            "rtx-3050-4gb",
            True,
        ),
        ("llama-3-8b", {"method": "lora"}, "rtx-3050-8gb", False),
        ("llama-3-8b", {"method": "lora"}, "t4", False),
        ("llama-3-8b", {"method": "lora"}, "a100", True),
        ("llama-3-8b", {"method": "qlora", "rank": 8}, "rtx-3050-4gb", False),
        ("midm-2-mini", {"method": "lora"}, "rtx-3050-4gb", False),
    ],
)
def test_what_fits_on_a_card(base: str, recipe: dict[str, Any], device: str, fits: bool) -> None:
    rows = [RowSize(tokens, tokens // 4, tokens * 3 // 4) for tokens in range(100, 768, 2)]
    found = forecast_on(device_named(device), asked(base, rows, **recipe))
    assert found.fits is fits
    assert found.peak_bytes == sum(found.memory.model_dump().values())
    assert found.fits is (found.peak_bytes <= found.capacity_bytes)
    assert bool(found.remedies) is not fits or not found.remedies
    assert not found.measured


def _applied(question: Question, remedy: Remedy) -> Question:
    """The plan as somebody would change it after reading the remedy."""
    recipe = question.recipe.model_copy(update=remedy.changes)
    limit = recipe.max_length or 2**20
    if recipe.too_long == "truncate":
        rows = [row.truncated(limit) for row in question.rows]
        assert all(row.learned for row in rows)
    else:
        rows = [row for row in question.rows if row.tokens + 1 <= limit]
        assert len(question.rows) - len(rows) == remedy.rows_left_out
    return question.changed(recipe, rows)


@pytest.mark.parametrize("answers_first", [True, False])
@pytest.mark.parametrize("device", [device.key for device in DEVICES])
@pytest.mark.parametrize("base", ["llama-3-8b", "midm-2-mini"])
def test_every_remedy_really_fits(base: str, device: str, answers_first: bool) -> None:
    rows = [
        RowSize(tokens, tokens // 4, 10 if answers_first else tokens - tokens // 4)
        for tokens in range(100, 3_000, 60)
    ]
    for recipe in ({"precision": "fp32", "rank": 256}, {"rank": 64}, {"method": "qlora"}):
        question = asked(base, rows, **recipe)
        found = forecast_on(device_named(device), question)
        for remedy in found.remedies:
            changed = forecast_on(device_named(device), _applied(question, remedy))
            assert changed.fits, remedy
            assert changed.peak_bytes == remedy.peak_bytes <= found.capacity_bytes
            assert remedy.peak_bytes < found.peak_bytes


def test_changes_are_put_together_where_none_is_enough() -> None:
    found = forecast_on(device_named("rtx-3050-8gb"), asked("llama-3-8b", precision="fp32", rank=64))
    (remedy,) = found.remedies
    assert remedy.changes["method"] == "qlora"
    assert len(remedy.changes) > 1


def test_nothing_helps_where_the_base_is_too_large() -> None:
    found = forecast_on(device_named("rtx-3050-4gb"), asked("llama-3-8b"))
    assert not found.fits
    assert found.remedies == ()


def test_a_card_without_bf16_computes_in_fp32() -> None:
    assert forecast_on(device_named("t4"), asked("midm-2-mini")).precision == "fp32"
    assert forecast_on(device_named("a100"), asked("midm-2-mini")).precision == "bf16"
    asked_for = forecast_on(device_named("a100"), asked("midm-2-mini", precision="fp32"))
    assert asked_for.precision == "fp32"


def test_a_faster_card_takes_less_time_and_more_tokens_take_more() -> None:
    times = [forecast_on(device_named(key), asked("midm-2-mini")).seconds for key in ("t4", "a100")]
    assert times[0] is not None
    assert times[1] is not None
    assert times[0] > times[1]
    longer = forecast_on(device_named("t4"), asked("midm-2-mini", epochs=6)).seconds
    assert longer == pytest.approx(2 * times[0], rel=0.02)


@pytest.mark.parametrize(
    ("rows", "epochs", "plan"), [(400, 1, None), (20_000, 40, "days"), (20_000, 1_000, "pretraining")]
)
def test_a_plan_of_days_says_so(rows: int, epochs: int, plan: str | None) -> None:
    question = asked("llama-3-8b", [RowSize(500, 100, 400)] * rows, epochs=epochs, method="qlora", rank=8)
    found = forecast_on(device_named("a100"), question)
    assert found.days is not None
    assert found.plan == plan, found.days
    if plan is None:
        assert found.rows_in_a_day is None
    else:
        assert found.rows_in_a_day == int(rows / found.days)


_SECONDS = (0.5, 0.01, 0.003, 0.02)
_FIXED, _TOKEN = 2 * _GIB, 2_000_000


def _calibration(attention: float = 0.0, **changed: Any) -> Calibration:
    """Of a machine that keeps exactly to the model."""
    passes = []
    for tokens, rows, learned in ((64, 1, 4), (256, 16, 4), (256, 1, 4), (512, 4, 512), (512, 1, 4)):
        square = rows * (tokens // rows) ** 2
        amounts = (1, tokens + attention * square, learned, rows)
        seconds = sum(rate * amount for rate, amount in zip(_SECONDS, amounts, strict=True))
        passes.append(
            PassMeasured(
                tokens=tokens,
                rows=rows,
                learned=learned,
                square=square,
                seconds=seconds,
                clock_seconds=seconds / 1.5,
                peak=_FIXED + _TOKEN * tokens,
            )
        )
    values: dict[str, Any] = {
        "device": "cpu",
        "device_name": "cpu",
        "precision": "fp32",
        "threads": 2,
        "start_seconds": 6.0,
        "end_seconds": 0.5,
        "step_seconds": 0.1,
        "passes": tuple(passes),
        "start_peak": _GIB,
        "capacity": 16 * _GIB,
        "took_seconds": 20.0,
    }
    return Calibration(**(values | changed))


def test_a_measured_machine_is_believed() -> None:
    question = asked("midm-2-mini", [RowSize(400, 100, 300)] * 20, batch_size=2, epochs=1)
    attention = attention_in_tokens(question.shape, question.recipe, question.columns)
    found = forecast_here(question, _calibration(attention), capacity=16 * _GIB)
    base, token, learned, row = _SECONDS
    one = base + (400 + 400**2 * attention) * token + 100 * learned + row
    assert found.seconds == pytest.approx(6 + 0.5 + 10 * 0.1 + 20 * one)
    assert found.seconds is not None
    assert found.clock_seconds == pytest.approx(found.seconds / 1.5)
    parts = found.memory
    assert found.peak_bytes == pytest.approx(_FIXED + 400 * _TOKEN + parts.logits + parts.rows, abs=2)
    assert found.measured
    assert found.fits


def test_a_machine_that_has_no_room_is_not_measured_and_has_remedies() -> None:
    question = asked("midm-2-mini")
    found = forecast_here(question, None, capacity=7 * _GIB)
    assert (found.seconds, found.days, found.measured, found.fits) == (None, None, False, False)
    for remedy in found.remedies:
        assert forecast_here(_applied(question, remedy), None, capacity=7 * _GIB).fits
    assert found.remedies


def test_what_a_pass_held_beyond_its_activations_grows_no_further_than_it_was_measured() -> None:
    held = {64: 100, 256: 300, 512: 400}

    def activations(tokens: int) -> int:
        return 7 * tokens

    passes = tuple(
        one.model_copy(
            update={"peak": held[one.tokens] + 7 * one.tokens + one.learned, "logits": one.learned}
        )
        for one in _calibration().passes
    )
    # The larger counts of those of one size.
    passes = (*passes, passes[0].model_copy(update={"peak": passes[0].peak - 50}))
    measured = _calibration(passes=passes)
    expected = {16: 100, 64: 100, 160: 200, 256: 300, 384: 350, 512: 400, 2_000: 400}
    assert {tokens: measured.beside(tokens, activations) for tokens in expected} == expected


def test_noise_makes_no_time_negative() -> None:
    passes = tuple(one.model_copy(update={"seconds": 1.0}) for one in _calibration().passes)
    flat = _calibration(passes=passes)
    for load in (Load(1, 1, 1, 1, 1), Load(1, 2_000, 4e6, 2_000, 1), Load(9, 9, 9, 9, 9)):
        assert flat.seconds_of(load, 1e-4) >= 0


def test_a_forecast_is_plain_json() -> None:
    found = forecast_on(device_named("a100"), asked("midm-2-mini"))
    assert DeviceForecast.model_validate(json.loads(found.model_dump_json())) == found


def test_devices_are_known_by_name_and_an_unknown_one_by_the_nearest() -> None:
    assert known(()) == (HERE, *(device.key for device in DEVICES))
    assert known(("t4", "t4", "here")) == ("t4", "here")
    with pytest.raises(InvalidInput, match="did you mean 'rtx-3050-4gb'"):
        known(("rtx3050-4gb",))
