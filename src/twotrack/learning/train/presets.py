"""The recipes that ship, and what their comments say of each field: recipes/*.yaml.

In a file each block of comments stands above the fields that it is about, first in English, then in Korean;
the first block says what the recipe is for, and how its base is fetched.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from twotrack.core.errors import NotFound
from twotrack.core.language import Language, Text
from twotrack.learning.train.recipe import read_recipe
from twotrack.learning.train.schemas import RecipeFields

_HANGUL = re.compile(r"[가-힣]")
_PULL = re.compile(r"#\s+twotrack pull (\S+)$")
_FIELD = re.compile(r"([a-z_]+):")
# Said of a file that is beside the recipe, which nobody has who takes it from here.
_OF_THE_FILE = ("base", "name", "data")


class PresetNote(BaseModel):
    """What is said of fields that stand together."""

    fields: list[str]
    text: str


class Preset(BaseModel):
    """A recipe that ships. `name` is its file's, `source` what its base is pulled by, `text` the file."""

    name: str
    title: str
    source: str
    recipe: RecipeFields
    notes: list[PresetNote]
    text: str


def list_presets(language: Language = "en") -> list[Preset]:
    """By their names."""
    return [_read(file, language) for file in sorted(_folder().glob("*.yaml"))]


def preset_named(name: str, language: Language = "en") -> Preset:
    """
    Raises:
        NotFound
    """
    found = next((one for one in list_presets(language) if one.name == name), None)
    if found is None:
        raise NotFound(what=Text("recipe", "레시피"), name=name)
    return found


def _folder() -> Path:
    package = Path(__file__).resolve().parents[2]
    # In a wheel they lie inside the package, in a checkout beside src.
    folders = (package / "recipes", package.parents[1] / "recipes")
    return next(one for one in folders if one.is_dir())


@cache
def _read(file: Path, language: Language) -> Preset:
    text = file.read_text(encoding="utf-8")
    recipe = read_recipe(text)
    title, *blocks = _blocks(text.splitlines())
    pull = (_PULL.match(line) for line in title[0])
    return Preset(
        name=file.stem,
        title=_said(title[0], language),
        source=next(found[1] for found in pull if found),
        recipe={key: value for key, value in recipe.items() if key not in ("name", "data")},
        notes=[
            PresetNote(fields=fields, text=_said(comments, language))
            for comments, fields in blocks
            if not set(fields) & set(_OF_THE_FILE)
        ],
        text=text,
    )


def _blocks(lines: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Comments, each with the fields below it as far as the next empty line."""
    blocks: list[tuple[list[str], list[str]]] = []
    is_open = False
    for line in lines:
        if line.startswith("#"):
            if not is_open or blocks[-1][1]:
                blocks.append(([], []))
            blocks[-1][0].append(line)
            is_open = True
        elif not line.strip():
            is_open = False
        elif is_open and (field := _FIELD.match(line)):
            blocks[-1][1].append(field[1])
    return blocks


def _said(comments: Sequence[str], language: Language) -> str:
    """The lines of one language as one text; what is indented further is a command."""
    lines = [line[2:] for line in comments if len(line) > 2 and not line.startswith("#  ")]
    return " ".join(line for line in lines if bool(_HANGUL.search(line)) == (language == "ko"))
