"""Recipes: few fields, each checked, unknown ones refused with the nearest known name."""

from pathlib import Path
from typing import Any

import pytest

from twotrack.core.errors import InvalidInput
from twotrack.equalizer.grid import Grid
from twotrack.equalizer.training import TrainingCell
from twotrack.learning.train import builder, job, recipe, rows, service, trainer
from twotrack.learning.train.errors import RecipeInvalid
from twotrack.learning.train.recipe import Recipe, fitted_board, parse_recipe, read_recipe, trained_columns
from twotrack.learning.train.schemas import NewRun
from twotrack.registry.families import FAMILIES

_LEAST = {"base": "starter", "name": "mine"}


def test_a_recipe_needs_a_base_and_a_name_only() -> None:
    made = parse_recipe(_LEAST)
    assert (made.rank, made.alpha, made.learning_rate, made.epochs, made.batch_size) == (16, 32, 1e-3, 3, 4)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("learning_rte", 1e-3, "did you mean 'learning_rate'?"),
        ("lr", 1e-3, "did you mean 'learning_rate'?"),
        ("lora_r", 8, "did you mean 'rank'?"),
        ("zzz", 1, "known are: base, name"),
        ("rank", 0, "greater than or equal to 1"),
        ("rank", 1.5, "integer"),
        ("rank", "many", "integer"),
        ("alpha", float("nan"), "finite"),
        ("alpha", float("inf"), "finite"),
        ("dropout", 1.0, "less than 1"),
        ("learning_rate", -1, "greater than 0"),
        ("epochs", 10**9, "less than or equal to 1000"),
        ("seed", -1, "greater than or equal to 0"),
        ("too_long", "split", "'refuse' or 'truncate'"),
        ("precision", "fp16", "'auto', 'fp32' or 'bf16'"),
        ("base", "", "at least 1 character"),
        ("base", "a\x00b", "cannot be printed"),
        ("base", "\ud800", "unicode"),
        ("modules", "attn.qk", "tuple"),
        ("method", "dora", "'lora', 'rslora' or 'qlora'"),
        ("schedule", "polynomial", "'linear', 'cosine' or 'constant'"),
        ("warmup", 100, "less than or equal to 0.5"),
        ("lr_scheduler_type", "cosine", "did you mean 'schedule'?"),
        ("gradient_checkpointing", "perhaps", "boolean"),
        ("goal", "be good", "Goal"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(field: str, value: Any, said: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_recipe({**_LEAST, field: value})
    assert caught.value.values["field"] == field
    assert said in caught.value.explain("en")
    assert "레시피" in caught.value.explain("ko")


@pytest.mark.parametrize(
    ("goal", "field", "said"),
    [
        ({"prompt": ["Who?"]}, "goal.prompt", "did you mean 'prompts'?"),
        ({"prompts": [""]}, "goal.prompts.0", "at least 1 character"),
        ({"prompts": ["x"] * 21}, "goal.prompts", "at most 20 items"),
        ({"criteria": "a\x00"}, "goal.criteria", "cannot be stored"),
        ({"criteria": "x" * 4001}, "goal.criteria", "at most 4000 characters"),
    ],
)
def test_a_goal_that_cannot_be_kept_is_refused(goal: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_recipe({**_LEAST, "goal": goal})
    assert caught.value.values["field"] == field
    assert said in caught.value.explain("en")


def test_a_goal_is_prompts_and_criteria() -> None:
    goal = 'goal:\n  prompts: ["누구?", "Who?"]\n  criteria: |\n    Short.\n    In Korean.\n'
    made = parse_recipe(read_recipe(f"base: starter\nname: mine\n{goal}"))
    assert made.goal is not None
    assert made.goal.prompts == ("누구?", "Who?")
    assert made.goal.criteria == "Short.\nIn Korean.\n"


def test_a_missing_field_is_named() -> None:
    with pytest.raises(RecipeInvalid, match="The recipe's base: it is missing"):
        parse_recipe({"name": "mine"})


@pytest.mark.parametrize(
    "name",
    ["$(reboot)", "a;b", "../up", "/etc/passwd", "a b", "`id`", "a|b", "-rf", "a\nb", "", "c:\\x", "x" * 101],
)
def test_a_name_with_shell_syntax_or_a_path_in_it_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        parse_recipe({"base": "starter", "name": name})


def test_a_korean_name_is_a_name() -> None:
    assert parse_recipe({"base": "starter", "name": "누리매-1"}).name == "누리매-1"


def test_yaml_and_json_are_read_alike() -> None:
    yaml = read_recipe("# how\nbase: starter\nname: mine\nlearning_rate: 1e-3\nmodules: [attn.qk]\n")
    json = read_recipe('{"base": "starter", "name": "mine", "learning_rate": 0.001, "modules": ["attn.qk"]}')
    assert parse_recipe(yaml) == parse_recipe(json)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base: [", "no YAML"),
        ("just words", "not a list"),
        ("", "not a list"),
        ("rank: 1\nrank: 2", "'rank' comes twice"),
        ("a: &a [x]\nb: *a", "references"),
        ("a: !!python/object/apply:os.system [id]", "no YAML"),
        ("a: " + "[" * 50_000, "nested too deeply"),
        ("a: " + "x" * 70_000, "longer than"),
        ("? [1]\n: 2", "no YAML"),
        ("a: 2020-99-99", "no YAML"),
        ("a: \x07", "no YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(text: str, said: str) -> None:
    with pytest.raises(RecipeInvalid, match=said):
        read_recipe(text)


def test_all_columns_are_trained_unless_some_are_named() -> None:
    llama = next(family for family in FAMILIES if family.name == "llama-3")
    assert trained_columns(parse_recipe(_LEAST), llama) == llama.columns
    assert trained_columns(parse_recipe({**_LEAST, "modules": ["mlp.out"]}), llama) == ("mlp.out",)


def test_a_column_that_the_family_lacks_is_refused_with_the_nearest() -> None:
    llama = next(family for family in FAMILIES if family.name == "llama-3")
    with pytest.raises(RecipeInvalid, match="did you mean 'attn.qk'"):
        trained_columns(parse_recipe({**_LEAST, "modules": ["attn.qkv"]}), llama)


_GRID = Grid.over(8, ("attn.qk", "attn.vo", "mlp.in", "mlp.out"))


def test_a_board_is_written_in_words_or_in_full() -> None:
    words = "board: [freeze, Freeze, train, [train, freeze, train: true, {rank: 8, learning_rate: 0.5}]]"
    made = parse_recipe(read_recipe(f"base: starter\nname: mine\n{words}\n"))
    board = fitted_board(made, _GRID)
    frozen, learns = TrainingCell(train=False), TrainingCell()
    assert board == (
        (frozen,) * 4,
        (frozen,) * 4,
        (learns,) * 4,
        (learns, frozen, learns, TrainingCell(rank=8, learning_rate=0.5)),
    )
    full = made.model_copy(update={"board": board})
    assert parse_recipe(full.model_dump(mode="json")) == full
    llama = next(family for family in FAMILIES if family.name == "llama-3")
    assert trained_columns(made, llama) == trained_columns(full, llama) == llama.columns
    part = parse_recipe({**_LEAST, "board": ["freeze", ["freeze", "freeze", "train", "freeze"]]})
    assert trained_columns(part, llama) == ("mlp.in",)


def test_what_a_frozen_cell_says_beside_that_is_left_out() -> None:
    cells = [[{"train": False, "rank": 8}, "train", "train", "train"]] * 4
    board = fitted_board(parse_recipe({**_LEAST, "board": cells}), _GRID)
    assert board is not None
    assert board[0][0] == TrainingCell(train=False)


@pytest.mark.parametrize(
    ("board", "field", "said"),
    [
        ("freeze", "board", "tuple"),
        ([], "board", "at least 1 item"),
        (["train"] * 257, "board", "at most 256 items"),
        ([[]], "board.0", "at least 1 item"),
        (["thaw"], "board.0.0", "a cell is train, freeze"),
        ([[7]], "board.0.0", "TrainingCell"),
        ([{"rnak": 8}], "board.0.0.rnak", "did you mean 'rank'?"),
        ([{"rank": 0}], "board.0.0.rank", "greater than or equal to 1"),
        ([{"rank": 10**9}], "board.0.0.rank", "less than or equal to 512"),
        ([{"alpha": float("nan")}], "board.0.0.alpha", "finite"),
        ([{"learning_rate": 0}], "board.0.0.learning_rate", "greater than 0"),
        ([{"learning_rate": 1e9}], "board.0.0.learning_rate", "less than or equal to 100"),
        ([{"train": "perhaps"}], "board.0.0.train", "boolean"),
        (["freeze"] * 4, "board", "nothing would learn"),
    ],
)
def test_a_board_that_cannot_be_used_is_refused(board: Any, field: str, said: str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        parse_recipe({**_LEAST, "board": board})
    assert caught.value.values["field"] == field
    assert said in caught.value.explain("en")
    assert "문자가" not in caught.value.explain("ko")


def test_a_board_and_modules_are_not_mixed() -> None:
    with pytest.raises(RecipeInvalid, match="leave one of them out"):
        parse_recipe({**_LEAST, "board": ["train"] * 4, "modules": ["attn.qk"]})


@pytest.mark.parametrize(
    ("board", "said"),
    [(["train"] * 3, "3 × 4"), ([["train"] * 5] * 4, "4 × 5"), ([["train"] * 2] * 4, "4 × 2")],
)
def test_a_board_of_another_shape_is_refused_with_the_grids(board: Any, said: str) -> None:
    with pytest.raises(RecipeInvalid, match=f"it is {said}, and this base has 4 bands of depth × 4 columns"):
        fitted_board(parse_recipe({**_LEAST, "board": board}), _GRID)


def test_a_board_needs_a_base_whose_layers_are_known() -> None:
    made = parse_recipe({**_LEAST, "board": ["train"]})
    with pytest.raises(RecipeInvalid, match="layers of this base are not known"):
        fitted_board(made, None)
    assert fitted_board(parse_recipe(_LEAST), None) is None


def test_every_field_is_read_by_something() -> None:
    readers = (builder, recipe, job, rows, service, trainer)
    child = Path(job.__file__).with_name("child.py")
    source = "".join(Path(str(module.__file__)).read_text() for module in readers) + child.read_text()
    # `data` is read by the command line, which sends what it finds there, and `goal` is shown by it.
    for field in Recipe.model_fields.keys() - {"data", "goal"}:
        assert f"recipe.{field}" in source or f"wanted.{field}" in source, field


def test_the_recipes_schema_can_be_a_part_of_another_document() -> None:
    described = NewRun.model_json_schema()["properties"]["recipe"]["properties"]
    assert described["goal"]["anyOf"][0]["properties"]["prompts"]["maxItems"] == 20
    assert "$ref" not in str(described)
