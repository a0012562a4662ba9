"""Answers to the goal's prompts while a run trains: how often, and that the model is as it was."""

from pathlib import Path
from typing import Any

import pytest

from twotrack.learning.train.sampling import ANSWER_TOKENS, answer_greedily, read_answers, steps_between


@pytest.mark.parametrize(
    ("asked", "total", "steps"),
    [(None, 60, 12), (None, 3, 1), (None, 61, 13), (0, 60, 0), (7, 60, 7), (1, 60, 2), (1, 5000, 100)],
)
def test_a_run_samples_five_times_or_as_often_as_is_asked_within_a_bound(
    asked: int | None, total: int, steps: int
) -> None:
    assert steps_between(asked, total) == steps


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_an_answer_is_what_a_model_without_a_cache_says_and_changes_nothing(tiny_llama: Any) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    from twotrack.learning.train import objective
    from twotrack.learning.train.packing import ATTENTION

    config = LoraConfig(
        r=4, lora_dropout=0.5, target_modules=["q_proj", "down_proj"], init_lora_weights=False
    )
    wrapped = get_peft_model(tiny_llama, config)
    assert objective.prepare(wrapped.get_base_model())
    wrapped.train()
    random, weights = torch.get_rng_state(), {n: p.clone() for n, p in wrapped.named_parameters()}
    answer = answer_greedily(wrapped, (1, 5, 9), frozenset())
    assert wrapped.training
    assert wrapped.get_base_model().config._attn_implementation == ATTENTION
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(weights[name], one) for name, one in wrapped.named_parameters())
    assert all(one.grad is None for one in wrapped.parameters())
    wrapped.eval()
    ids = [1, 5, 9]
    for _ in range(ANSWER_TOKENS):
        with torch.no_grad():
            ids.append(int(wrapped(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    assert answer == ids[3:]
    stopped = answer_greedily(wrapped, (1, 5, 9), {answer[4]})
    assert stopped == answer[: answer.index(answer[4])]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    assert read_answers(file) == []
    file.write_text('{"step": 1, "prompt": "q", "answer": "a"}\n{"step": 2, "pro')
    assert [one.step for one in read_answers(file)] == [1]
