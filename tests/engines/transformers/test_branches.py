"""The base's own board in the transformers engine, against models that were changed by hand."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from twotrack.engines.port import BASE, AdapterGain
from twotrack.engines.transformers.adapter_files import read_adapter
from twotrack.engines.transformers.branches import Branches
from twotrack.engines.transformers.model import TESTED_TYPES
from twotrack.equalizer.expansion import Table
from twotrack.equalizer.grid import BRANCHES, Grid
from twotrack.registry.branches import branch_ends, branch_of
from twotrack.registry.families import architecture_of, layer_of, recognize
from twotrack.registry.safetensors_header import read_safetensors_header

pytestmark = [
    pytest.mark.torch,
    # PEFT asks transformers by an older name, and bitsandbytes torch for an older compiler.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

Models = Callable[[str], Path]
PROMPT = [5, 17, 33, 250, 8, 91, 4, 77, 140, 9, 61]
LAYERS = 2
GRID = Grid.over(LAYERS, ("attn.qk",))
TABLE: Table = ((0.5, 1.0), (-0.75, 1.75))
ZEROS: Table = ((0.0, 0.0),) * LAYERS
ONES: Table = ((1.0, 1.0),) * LAYERS
KINDS = [*sorted(TESTED_TYPES), "olmo2", "gpt2", "bloom"]


def ends_of(folder: Path) -> dict[str, str]:
    """As the registry finds them: from the configuration and the names of the weights."""
    config = json.loads((folder / "config.json").read_text())
    names = [
        tensor.name.removesuffix(".weight")
        for tensor in read_safetensors_header(folder / "model.safetensors")
        if len(tensor.shape) == 2
    ]
    return branch_ends(recognize(config, names), architecture_of(config))


@pytest.fixture
def load_turnable(models: Models, load_body: Any) -> Any:
    """Loads a model so that its own board can be moved."""

    def load(kind: str, adapters: Sequence[Any] = (), **options: Any) -> Any:
        ends = tuple(ends_of(models(kind)).items())
        return load_body(models(kind), adapters, grid=GRID, branches=ends, **options)

    return load


def scores(body: Any, gains: dict[str, Any], tokens: Sequence[int] = PROMPT) -> list[float]:
    found: list[float] = body.score(tokens, 1, gains, lambda: False)
    return found


def own_logprobs(model: Any, tokens: Sequence[int] = PROMPT) -> list[float]:
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([list(tokens)]), use_cache=False).logits[0]
    values = logits.log_softmax(-1)[:-1].gather(1, torch.tensor(tokens[1:])[:, None])
    return [float(one) for one in values[:, 0]]


def read(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")


def layers_of(model: Any) -> list[Any]:
    found = {
        layer: name.split(f".{layer}.")[0] + f".{layer}"
        for name, _ in model.named_modules()
        if (layer := layer_of(name)) is not None and f".{layer}." in name
    }
    return [model.get_submodule(found[layer]) for layer in range(LAYERS)]


@pytest.mark.parametrize("kind", KINDS)
def test_with_all_gains_0_only_embeddings_norm_and_head_are_left(
    models: Models, load_turnable: Any, kind: str
) -> None:
    model = read(models(kind))
    for layer in layers_of(model):

        def hand_on(_module: Any, inputs: Any, named: Any, output: Any) -> Any:
            given = inputs[0] if inputs else named["hidden_states"]
            return (given, *output[1:]) if isinstance(output, tuple) else given

        layer.register_forward_hook(hand_on, with_kwargs=True)
    body = load_turnable(kind)
    assert body.loaded.branches
    assert scores(body, {BASE: ZEROS}) == pytest.approx(own_logprobs(model), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gain_multiplies_what_a_branch_adds(models: Models, load_turnable: Any, kind: str) -> None:
    """Folded by hand into the last weights of each branch: projections, or the norms behind them."""
    import torch

    model, ends = read(models(kind)), ends_of(models(kind))
    for name, module in model.named_modules():
        layer, branch = layer_of(name), branch_of(name, ends)
        if layer is None or branch is None:
            continue
        gain = TABLE[layer][BRANCHES.index(branch)]
        # Gemma multiplies by 1 + weight.
        shift = 1.0 if kind in ("gemma2", "gemma3_text") else 0.0
        module.weight.data = (module.weight.data + shift) * gain - shift
        if getattr(module, "bias", None) is not None:
            module.bias.data *= gain
    body = load_turnable(kind)
    found = scores(body, {BASE: TABLE})
    with torch.inference_mode():
        assert found == pytest.approx(own_logprobs(model), abs=1e-4)
    assert found != pytest.approx(scores(body, {}), abs=1e-2)


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "gpt2"])
def test_all_gains_1_are_the_base_to_the_last_bit(
    models: Models, load_body: Any, load_turnable: Any, generate: Any, kind: str
) -> None:
    # Exact: what comes from the prefix cache is the same too.
    base, body = load_body(models(kind), exact=True), load_turnable(kind, exact=True)
    plain = generate(base, PROMPT).tokens
    assert generate(body, PROMPT).tokens == plain
    # Also once hooks hang, and where the table is multiplied.
    assert generate(body, PROMPT, gains={BASE: TABLE}).tokens != plain
    assert generate(body, PROMPT, gains={BASE: ONES}).tokens == plain
    assert generate(body, PROMPT).tokens == plain


def test_nothing_hangs_on_a_model_until_somebody_asks(load_turnable: Any, generate: Any) -> None:
    body = load_turnable("llama")
    model = body._scheduler._forward._model
    generate(body, PROMPT, gains={BASE: 1.0})
    assert not any(module._forward_hooks for module in model.modules())
    generate(body, PROMPT, gains={BASE: 0.5})
    assert sum(bool(module._forward_hooks) for module in model.modules()) == LAYERS * len(BRANCHES)


def test_one_gain_acts_as_a_table_full_of_it(load_turnable: Any) -> None:
    body = load_turnable("llama")
    assert scores(body, {BASE: 0.5}) == scores(body, {BASE: ((0.5, 0.5),) * LAYERS})


def test_a_lone_layers_branch_is_linear_in_its_gain(load_turnable: Any) -> None:
    """What the last MLP adds reaches the norm directly: there the residual stream itself is seen."""
    import torch

    body = load_turnable("llama")
    model = body._scheduler._forward._model
    seen: list[Any] = []
    handle = model.model.norm.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].clone()))
    for gain in (0.0, 0.5, 1.0, 2.0, -1.0):
        body._scheduler._prefixes.clear()
        scores(body, {BASE: ((1.0, 1.0), (1.0, gain))})
    handle.remove()
    nothing, half, whole, twice, against = seen
    added = whole - nothing
    for found, gain in ((half, 0.5), (twice, 2.0), (against, -1.0)):
        torch.testing.assert_close(found - nothing, gain * added, atol=1e-5, rtol=1e-5)


def test_a_branch_is_scaled_with_what_adapters_add_to_it(
    models: Models, make_adapter: Any, load_turnable: Any
) -> None:
    adapter = make_adapter("a")
    model, ends = read(models("llama")), ends_of(models("llama"))
    for one in read_adapter(adapter):
        model.get_submodule(one.name).weight.data += 0.5 * one.scale * (one.b @ one.a)
    for name, module in model.named_modules():
        if (branch := branch_of(name, ends)) and (layer := layer_of(name)) is not None:
            module.weight.data *= TABLE[layer][BRANCHES.index(branch)]
    body = load_turnable("llama", [adapter])
    # The adapter first: its hooks hang, then those of the branches.
    scores(body, {"a": 1.0})
    assert scores(body, {"a": 0.5, BASE: TABLE}) == pytest.approx(own_logprobs(model), abs=1e-4)


def test_requests_with_different_boards_that_share_a_pass_each_get_their_own(
    make_adapter: Any, load_turnable: Any
) -> None:
    import torch

    from twotrack.engines.transformers.forward import Segment

    forward = load_turnable("llama", [make_adapter("a")])._scheduler._forward
    assert forward.together
    prompts = [PROMPT, PROMPT[:5], list(range(40, 56)), [9] * 8]
    settings: list[tuple[AdapterGain, ...]] = [(0.0, TABLE), (1.0, 1.0), (0.5, 0.25), (0.0, ZEROS)]

    def run(chosen: Sequence[int]) -> list[Any]:
        with torch.inference_mode():
            return list(forward.run([Segment(forward.start(), prompts[i], settings[i], 3) for i in chosen]))

    together = run(range(4))
    for index, logits in enumerate(together):
        torch.testing.assert_close(logits, run([index])[0], atol=1e-4, rtol=1e-4)
    # A neighbour of theirs that leaves the base alone gets the very bits that it gets among its like.
    turned = together[1]
    settings = [(1.0, 1.0)] * 4
    assert torch.equal(run(range(4))[1], turned)


def test_a_prefix_of_another_board_is_never_reused(load_turnable: Any, generate: Any) -> None:
    body, fresh = load_turnable("llama"), load_turnable("llama")
    for gains in ({}, {BASE: 0.5}, {BASE: TABLE}):
        assert generate(body, PROMPT, gains=gains).end.cached_tokens == 0
        again = generate(body, PROMPT, gains=gains)
        assert again.end.cached_tokens == len(PROMPT) - 1
        assert again.ids == generate(fresh, PROMPT, gains=gains).ids


@pytest.mark.parametrize("kind", ["qwen3_5_text", "gpt2"])
def test_a_model_whose_ends_are_others_keeps_its_branches(
    models: Models, load_body: Any, generate: Any, kind: str
) -> None:
    """A layer without attention, and names that stand for no end: it serves, and its board does not move."""
    wrong = (("o_proj", "attn"), ("down_proj", "mlp"), ("mlp.c_fc", "attn"), ("mlp.c_proj", "mlp"))
    body = load_body(models(kind), grid=GRID, branches=wrong)
    assert not body.loaded.branches
    assert generate(body, PROMPT).ids == generate(load_body(models(kind)), PROMPT).ids


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        # A norm behind it would undo a gain; a gate bends it; the end of another branch.
        ("gemma2", {"o_proj": "attn", "down_proj": "mlp"}),
        ("llama", {"o_proj": "attn", "gate_proj": "mlp"}),
        ("gpt2", {"mlp.c_fc": "attn", "mlp.c_proj": "mlp"}),
    ],
    ids=["before a norm", "inside a gate", "another's"],
)
def test_a_wrong_end_is_found_out_by_trying(models: Models, kind: str, ends: dict[str, str]) -> None:
    assert Branches(read(models(kind)), GRID.branches, ends_of(models(kind))).hold()
    assert not Branches(read(models(kind)), GRID.branches, ends).hold()


def test_two_ends_of_one_branch_are_refused(models: Models) -> None:
    with pytest.raises(LookupError, match="second attn"):
        Branches(read(models("llama")), GRID.branches, {"o_proj": "attn", "v_proj": "attn"})
