"""Every recipe that ships can be read, and builds what it asks for on a tiny model of its architecture."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.learning.train.architectures import tiny
from twotrack.cli.recipes import recipes
from twotrack.core.errors import NotFound
from twotrack.core.language import Language
from twotrack.learning.data.messages import read_messages
from twotrack.learning.train.builder import LoraSize, ask, compare, linear_modules, wrap
from twotrack.learning.train.presets import list_presets, preset_named
from twotrack.learning.train.recipe import Recipe, parse_recipe, read_recipe, trained_columns
from twotrack.registry.families import FAMILIES, Family

_FOLDER = Path(__file__).parents[3] / "recipes"
# Preset → the family of its base, and the tiny model that stands for it.
_BASES = {
    "starter": ("llama", "LlamaForCausalLM"),
    "llama-3-8b-8gb": ("llama-3", "Llama 3"),
    "midm-2-mini-4gb": ("midm-2", "Mi:dm 2.0"),
    "koalpaca-5.8b-8gb": ("koalpaca", "GPTNeoXForCausalLM"),
}


def _preset(name: str) -> tuple[Recipe, Family]:
    recipe = parse_recipe(read_recipe((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
    family = next(family for family in FAMILIES if family.name == _BASES[name][0])
    return recipe, family


def test_every_preset_is_tested() -> None:
    assert {file.stem for file in _FOLDER.iterdir()} == _BASES.keys()


@pytest.mark.parametrize("name", _BASES)
def test_a_preset_says_what_it_is_for(name: str) -> None:
    recipe, _ = _preset(name)
    assert recipe.goal is not None
    assert recipe.goal.prompts
    assert recipe.goal.criteria


def test_the_starters_data_is_there() -> None:
    recipe, _ = _preset("starter")
    assert recipe.data is not None
    assert len(read_messages((_FOLDER / recipe.data).read_bytes())) == 80


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", _BASES)
def test_a_preset_trains_every_linear_module_of_its_architecture(name: str) -> None:
    pytest.importorskip("torch")
    recipe, family = _preset(name)
    model = tiny(_BASES[name][1])
    linear = linear_modules(model)
    size = LoraSize(recipe.rank, recipe.alpha, rank_stabilized=recipe.method == "rslora")
    asked = ask(model, family, trained_columns(recipe, family), size)
    assert set(asked) == set(linear)
    compare(wrap(model, asked, dropout=recipe.dropout), asked)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_the_comments_say_is_told_in_one_language_beside_its_fields(language: Language) -> None:
    found = {one.name: one for one in list_presets(language)}
    assert found.keys() == _BASES.keys()
    for one in found.values():
        assert one.title
        assert one.notes
        assert one.source == "starter" or one.source.startswith("hf:")
        for note in one.notes:
            assert note.fields
            assert set(note.fields) <= Recipe.model_fields.keys()
            assert note.text
        said = " ".join([one.title, *(note.text for note in one.notes)])
        assert bool(re.search("[가-힣]", said)) == (language == "ko")
        assert not {"name", "data"} & one.recipe.keys()
    midm = found["midm-2-mini-4gb"]
    assert midm.source == "hf:K-intelligence/Midm-2.0-Mini-Instruct"
    assert midm.recipe["method"] == "qlora"
    assert ["method", "rank", "alpha", "max_length", "gradient_checkpointing", "batch_size"] in [
        note.fields for note in midm.notes
    ]


def test_a_preset_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="my-own"):
        preset_named("my-own")


def test_the_wheel_holds_the_recipes() -> None:
    project = tomllib.loads((_FOLDER.parent / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["recipes"] == "twotrack/recipes"


def test_a_recipe_is_printed_as_a_file_that_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    recipes("starter")
    assert read_recipe(capsys.readouterr().out)["base"] == "SmolLM2-135M-Instruct"
    recipes()
    assert "midm-2-mini-4gb" in capsys.readouterr().out
