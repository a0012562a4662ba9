"""The trainer computes the padded reference's loss and gradients, without the padding."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.learning.train.architectures import VARIANTS, VOCABULARY, tiny
from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.train.builder import LoraSize, ask, wrap
from twotrack.learning.train.passes import PACKED
from twotrack.learning.train.plan import Choices
from twotrack.learning.train.recipe import parse_recipe
from twotrack.learning.train.trainer import build_trainer
from twotrack.registry.families import recognize

torch = pytest.importorskip("torch")

from twotrack.learning.train.objective import chunked_loss  # noqa: E402  # it needs torch

pytestmark = [
    pytest.mark.torch,
    # transformers warns of its own renamed arguments and properties, whoever uses them.
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),
]


def _rows(lengths: tuple[int, ...] = (5, 23, 3, 11, 2, 17)) -> list[Row]:
    """Uneven rows; some with one answer at their end, one with two, one without any."""
    numbers = random.Random(5)
    rows = []
    for line, length in enumerate(lengths, 1):
        ids = tuple(numbers.randrange(3, VOCABULARY) for _ in range(length))
        labels = [token if at > length // 2 else MASKED for at, token in enumerate(ids)]
        if length > 20:
            labels[3:6] = ids[3:6]
        if length == 11:
            labels = [MASKED] * length
        rows.append(Row(line, ids, tuple(labels)))
    return rows


def _trainer(
    model: Any, folder: Path, rows: list[Row], *, tokens_per_pass: int = 24, **recipe_fields: Any
) -> Any:
    family = recognize(model.config.to_dict(), [name for name, _ in model.named_modules()])
    wrapped = wrap(model, ask(model, family, family.columns, LoraSize(4, 8.0)), dropout=0.0)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            # As they begin, with zeros, half of the gradients would be zero whatever the loss.
            torch.nn.init.normal_(parameter, std=0.1)
    recipe = parse_recipe({"base": "tiny", "name": "tiny", "batch_size": len(rows), **recipe_fields})
    choices = Choices(device="cpu", precision="fp32", threads=1, tokens_per_pass=tokens_per_pass, versions={})
    return build_trainer(wrapped, rows, recipe, choices, folder)


def _gradients(model: Any) -> dict[str, Any]:
    found = {name: one.grad.clone() for name, one in model.named_parameters() if one.requires_grad}
    model.zero_grad()
    return found


def _padded(model: Any, rows: list[Row]) -> tuple[float, dict[str, Any]]:
    """The reference: one padded batch, all logits, torch's cross entropy."""
    model.set_attn_implementation("eager")
    longest = max(len(row.input_ids) for row in rows)

    def pad(values: tuple[int, ...], filling: int) -> list[int]:
        return [*values, *[filling] * (longest - len(values))]

    logits = model(
        input_ids=torch.tensor([pad(row.input_ids, 0) for row in rows]),
        attention_mask=torch.tensor([pad((1,) * len(row.input_ids), 0) for row in rows]),
        use_cache=False,
    ).logits
    labels = torch.tensor([pad(row.labels, MASKED) for row in rows])
    loss = torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=MASKED
    )
    loss.backward()
    return loss.item(), _gradients(model)


def _compared(trainer: Any, rows: list[Row]) -> None:
    batch = trainer.data_collator(list(trainer.train_dataset))
    loss = trainer.training_step(trainer.model, batch).item()
    ours = _gradients(trainer.model)
    expected, theirs = _padded(trainer.model.get_base_model(), rows), None
    theirs = {f"base_model.model.{name}": gradient for name, gradient in expected[1].items()}
    assert loss == pytest.approx(expected[0], abs=1e-5)
    assert ours.keys() == theirs.keys()
    assert max(gradient.abs().max() for gradient in theirs.values()) > 1e-3
    for name, gradient in ours.items():
        assert (gradient - theirs[name]).abs().max() <= 1e-5, name


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_equal_those_of_the_padded_reference(variant: str, tmp_path: Path) -> None:
    rows = _rows()
    trainer = _trainer(tiny(variant), tmp_path, rows)
    _compared(trainer, rows)


@pytest.mark.parametrize("tokens_per_pass", [1, 10_000])
def test_how_rows_share_passes_changes_nothing(tiny_llama: Any, tmp_path: Path, tokens_per_pass: int) -> None:
    rows = _rows()
    _compared(_trainer(tiny_llama, tmp_path, rows, tokens_per_pass=tokens_per_pass), rows)


def test_every_architecture_that_shares_passes_is_tested() -> None:
    assert set(PACKED) <= {architecture for architecture, _ in VARIANTS.values()}


def test_the_loss_and_its_gradients_are_those_of_trl(tiny_llama: Any, tmp_path: Path) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    rows = _rows()
    trainer = _trainer(tiny_llama, tmp_path, rows)
    ours = trainer.training_step(trainer.model, trainer.data_collator(list(trainer.train_dataset)))
    our_gradients = _gradients(trainer.model)
    trainer.model.get_base_model().set_attn_implementation("sdpa")
    padded = DataCollatorForLanguageModeling(pad_token_id=0)(list(trainer.train_dataset))
    theirs = trainer.compute_loss(trainer.model, padded)
    theirs.backward()
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)
    for name, gradient in _gradients(trainer.model).items():
        assert torch.allclose(our_gradients[name], gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("bias", [False, True])
def test_the_chunked_loss_is_torchs_cross_entropy(bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twotrack.learning.train.objective.LOGITS", 3 * VOCABULARY)
    torch.manual_seed(1)
    states = (10 * torch.randn(7, 8)).requires_grad_()
    weight = torch.randn(VOCABULARY, 8)
    shift = torch.randn(VOCABULARY) if bias else None
    targets = torch.randint(VOCABULARY, (7,))
    ours = chunked_loss(states, weight, shift, targets)
    (our_gradient,) = torch.autograd.grad(ours * 0.5, states)
    logits = torch.nn.functional.linear(states, weight, shift)
    theirs = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
    (gradient,) = torch.autograd.grad(theirs * 0.5, states)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    assert torch.allclose(our_gradient, gradient, atol=1e-5)


def test_an_output_matrix_that_is_trained_is_refused() -> None:
    weight = torch.randn(VOCABULARY, 8, requires_grad=True)
    with pytest.raises(ValueError, match="frozen"):
        chunked_loss(torch.randn(1, 8), weight, None, torch.tensor([1]))


def test_tokens_are_counted_without_padding(tiny_llama: Any, tmp_path: Path) -> None:
    rows = _rows()
    trainer = _trainer(tiny_llama, tmp_path, rows)
    trainer.training_step(trainer.model, trainer.data_collator(list(trainer.train_dataset)))
    assert trainer.tokens == sum(len(row.input_ids) for row in rows)


def test_gradient_checkpointing_changes_no_gradient(tiny_llama: Any, tmp_path: Path) -> None:
    rows = _rows()
    trainer = _trainer(tiny_llama, tmp_path, rows)
    trainer.model.gradient_checkpointing_enable({"use_reentrant": False})
    trainer.model.train()
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1

    trainer.model.get_base_model().model.layers[0].self_attn.register_forward_pre_hook(count)
    _compared(trainer, rows)
    # Two passes and the reference, each computed forwards twice.
    assert seen == 6


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("linear", [0.0, 0.5, 1.0, 2 / 3, 1 / 3]),
        ("cosine", [0.0, 0.5, 1.0, 0.75, 0.25]),
        ("constant", [0.0, 0.5, 1.0, 1.0, 1.0]),
    ],
)
def test_the_learning_rate_rises_and_falls_as_asked(
    tiny_llama: Any, tmp_path: Path, schedule: str, rates: list[float]
) -> None:
    fields: dict[str, Any] = {"schedule": schedule, "warmup": 0.4, "epochs": 5, "learning_rate": 1e-3}
    trainer = _trainer(tiny_llama, tmp_path, _rows(), **fields)
    trainer.train()
    seen = [entry["learning_rate"] / 1e-3 for entry in trainer.state.log_history if "loss" in entry]
    assert seen == pytest.approx(rates, abs=1e-6)


def test_nothing_that_the_library_would_choose_by_itself_is_left_to_it(
    tiny_llama: Any, tmp_path: Path
) -> None:
    args = _trainer(tiny_llama, tmp_path, _rows()).args
    assert (args.bf16, args.fp16, args.gradient_checkpointing, args.max_length) == (False, False, False, None)
    assert (args.weight_decay, args.warmup_steps, args.gradient_accumulation_steps) == (0.0, 0, 1)
    assert args.report_to == []
    assert not args.logging_nan_inf_filter
