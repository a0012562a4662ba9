"""A recipe: the typed file, YAML or JSON, that describes a training run.

Few fields, each read by something. An unknown key is refused with the nearest known name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from twotrack.core.language import Text
from twotrack.equalizer.grid import Grid
from twotrack.equalizer.training import Rows, TrainingBoard, TrainingCell, full_rows
from twotrack.learning.data.lines import is_encodable
from twotrack.learning.data.tokens import TooLong
from twotrack.learning.suggestions import unknown
from twotrack.learning.train.errors import RecipeInvalid
from twotrack.registry.families import Family
from twotrack.registry.names import check_name

MAX_BYTES = 64 * 2**10
# A cell of the board. The time that YAML takes grows with the square of the depth.
_DEEPEST = 4

_ALIASES = {
    "lr": "learning_rate",
    "r": "rank",
    "lora_r": "rank",
    "lora_rank": "rank",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "num_train_epochs": "epochs",
    "num_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "micro_batch_size": "batch_size",
    "max_seq_length": "max_length",
    "cutoff_len": "max_length",
    "sequence_len": "max_length",
    "model": "base",
    "base_model": "base",
    "model_name_or_path": "base",
    "output_dir": "name",
    "dataset": "data",
    "target_modules": "modules",
    "lora_target": "modules",
    "finetuning_type": "method",
    "lr_scheduler_type": "schedule",
    "warmup_ratio": "warmup",
    "warmup_steps": "warmup",
    "dataset_id": "data_id",
    "eval_dataset": "held_out_id",
    "validation_file": "held_out_id",
    "save_total_limit": "checkpoints",
    "save_strategy": "checkpoints",
}


def _printable(given: str) -> str:
    # PostgreSQL takes no NUL and no half of a surrogate pair.
    if not given.isprintable():
        raise ValueError("it contains characters that cannot be printed")
    return given


def _storable(given: str) -> str:
    # As PostgreSQL takes it; line breaks are welcome in a text.
    if "\x00" in given or not is_encodable(given):
        raise ValueError("it contains characters that cannot be stored")
    return given


ModelReference = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""A name or an id by which somebody asks for a model."""


class Goal(BaseModel):
    """What the training is for, in the words of whoever starts it: written before it, shown after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: tuple[Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_storable)], ...] = (
        Field(default=(), max_length=20, description="questions to try the result with")
    )
    criteria: Annotated[str, AfterValidator(_storable)] = Field(
        default="", max_length=4000, description="by what the answers will be judged"
    )


class Recipe(BaseModel):
    """How to train one LoRA adapter on one base (Hu et al. 2021, arXiv:2106.09685)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base: ModelReference = Field(description="name or id of the base to train on")
    name: Annotated[str, AfterValidator(check_name)] = Field(description="name of the variant that comes out")
    data: str | None = Field(
        default=None,
        max_length=1000,
        description="the data's path beside the recipe: read by the command line, never by the studio",
    )
    data_id: UUID | None = Field(
        default=None, description="instead of data: a data set that lies in the studio, by its id"
    )
    held_out_id: UUID | None = Field(
        default=None, description="a data set that is not learned: the loss on it is taken after each epoch"
    )
    goal: Goal | None = Field(default=None, description="prompts and criteria, written down beforehand")
    method: Literal["lora", "rslora", "qlora"] = Field(
        default="lora", description="rslora: scaled by alpha / √rank; qlora: LoRA over a base in 4 bits (NF4)"
    )
    rank: int = Field(default=16, ge=1, le=512, description="rank of the change in each module")
    alpha: float = Field(default=32.0, gt=0, le=4096, description="the change is scaled by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout before the change, while training")
    modules: tuple[str, ...] = Field(
        default=(), max_length=32, description="columns of the board to train, such as attn.qk; empty: all"
    )
    board: TrainingBoard | None = Field(
        default=None,
        description="instead of modules: bands of depth × columns, what each cell learns; one cell for a row "
        "stands for all of its columns",
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="AdamW's, at its highest")
    schedule: Literal["linear", "cosine", "constant"] = Field(
        default="linear", description="how the learning rate falls to zero, or that it does not"
    )
    warmup: float = Field(
        default=0.0, ge=0, le=0.5, description="share of the steps over which the learning rate rises"
    )
    epochs: int = Field(default=3, ge=1, le=1000, description="how often all of the data is seen")
    checkpoints: int = Field(
        default=0, ge=0, le=8, description="how many of the last epochs before the end leave a variant too"
    )
    batch_size: int = Field(default=4, ge=1, le=1024, description="rows in one optimizer step")
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the initial weights, the order, the dropout")
    max_length: int | None = Field(
        default=None, ge=8, le=2**20, description="longest row in tokens; by default the model's context"
    )
    too_long: TooLong = Field(default="refuse", description="refuse longer rows, or truncate them at the end")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="what the frozen base computes in; auto measures which is faster"
    )
    sample_every: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="steps between short answers to the goal's prompts; by default five times, 0: never",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="compute layers twice, for much less memory and a third more time"
    )


def parse_recipe(fields: Mapping[str, Any]) -> Recipe:
    """
    Raises:
        RecipeInvalid: an unknown key, or a value that cannot be used.
        InvalidInput: a name that the registry does not take.
    """
    try:
        made = Recipe.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeInvalid(field=_place(first["loc"]), why=_reason(first)) from None
    if made.board is not None and made.modules:
        why = Text("it says all that modules says: leave one of them out", "modules와 함께 쓸 수 없습니다")
        raise RecipeInvalid(field="board", why=why)
    if made.board is not None and not any(cell.train for row in made.board for cell in row):
        why = Text("every cell is frozen, so nothing would learn", "모든 칸이 고정되어 학습할 것이 없습니다")
        raise RecipeInvalid(field="board", why=why)
    return made


def read_recipe(text: str) -> dict[str, Any]:
    """The fields of a recipe file in YAML or JSON; `parse_recipe` checks them.

    Raises:
        RecipeInvalid: no YAML, a key that comes twice, references (they can make a small file endless).
    """
    import yaml  # type: ignore[import-untyped]  # it ships no type information

    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise _whole("longer than a recipe can be", "레시피라기에는 너무 깁니다")
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise _whole("references (&, *) are not read", "참조(&, *)는 읽지 않습니다")
            if depth > _DEEPEST:
                raise _whole("nested too deeply", "너무 깊이 중첩되어 있습니다")
        root = yaml.compose(text, yaml.SafeLoader)
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise _whole(f"no YAML: {message}", f"YAML이 아닙니다: {message}") from None
    except (RecursionError, ValueError):
        raise _whole("no YAML that can be read", "읽을 수 있는 YAML이 아닙니다") from None
    if not isinstance(fields, dict):
        raise _whole("not a list of `key: value`", "`키: 값` 목록이 아닙니다")
    keys = [node.value for node, _ in root.value]
    for key in keys:
        if not isinstance(key, str) or keys.count(key) > 1:
            raise _whole(f"the key {key!r} comes twice", f"키가 두 번 나옵니다: {key!r}")
    return {str(key): value for key, value in fields.items()}


def trained_columns(recipe: Recipe, family: Family) -> tuple[str, ...]:
    """The columns that the recipe trains, in the order of the board; in some bands at least.

    Raises:
        RecipeInvalid: one that the family does not have.
    """
    for column in recipe.modules:
        if column not in family.columns:
            what = Text(f"column of {family.name}", f"{family.name}의 열")
            raise RecipeInvalid(field="modules", why=unknown(what, column, family.columns))
    if recipe.board is not None:
        rows = [row * len(family.columns) if len(row) == 1 else row for row in recipe.board]
        trained = [any(cells) for cells in zip(*([cell.train for cell in row] for row in rows), strict=False)]
        return tuple(column for column, learns in zip(family.columns, trained, strict=False) if learns)
    return tuple(column for column in family.columns if not recipe.modules or column in recipe.modules)


def fitted_board(recipe: Recipe, grid: Grid | None) -> tuple[tuple[TrainingCell, ...], ...] | None:
    """The recipe's board with every cell written out; None without one.

    Raises:
        RecipeInvalid: it does not fit the grid, or there is none.
    """
    if recipe.board is None:
        return None
    if grid is None:
        why = Text("the layers of this base are not known", "이 베이스의 레이어를 알 수 없습니다")
        raise RecipeInvalid(field="board", why=why)
    board: Rows = full_rows(recipe.board, grid)
    rows, columns = grid.shape
    for row in board:
        if len(board) != rows or len(row) != columns:
            names = ", ".join(grid.columns)
            why = Text(
                f"it is {len(board)} × {len(row)}, and this base has {rows} bands of depth × {columns} "
                f"columns ({names})",
                f"{len(board)} × {len(row)} 크기이지만 이 베이스는 깊이 구간 {rows}개 × 열 {columns}개"
                f"({names})입니다",
            )
            raise RecipeInvalid(field="board", why=why)
    return tuple(tuple(row) for row in board)


def _whole(en: str, ko: str) -> RecipeInvalid:
    return RecipeInvalid(field="recipe", why=Text(en, ko))


def _place(location: Sequence[str | int]) -> str:
    # What somebody typed as a key comes back in the message: no more of it than is needed.
    return ".".join(str(part)[:60] for part in location) or "recipe"


_KOREAN = {
    "greater_than": "{gt}보다 커야 합니다",
    "greater_than_equal": "{ge} 이상이어야 합니다",
    "less_than": "{lt}보다 작아야 합니다",
    "less_than_equal": "{le} 이하여야 합니다",
    "string_type": "글이어야 합니다",
    "string_too_short": "비어 있습니다",
    "string_too_long": "너무 깁니다",
    "literal_error": "다음 중 하나여야 합니다: {expected}",
    "missing": "꼭 필요합니다",
    "finite_number": "유한한 수여야 합니다",
    "tuple_type": "목록이어야 합니다",
    "model_type": "`키: 값` 목록이어야 합니다",
    "too_long": "항목이 너무 많습니다",
    "too_short": "항목이 없습니다",
    "board_cell": "칸은 train, freeze 또는 rank, alpha, learning_rate 값이어야 합니다",
    "bool_type": "true 또는 false여야 합니다",
    "bool_parsing": "true 또는 false여야 합니다",
    "value_error": "표시할 수 없는 문자가 있습니다",
    "uuid_parsing": "데이터의 id여야 합니다",
    "uuid_type": "데이터의 id여야 합니다",
}


def _reason(error: Any) -> Text:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        fields = {"goal": Goal.model_fields, "board": TrainingCell.model_fields}
        known = fields.get(str(error["loc"][0]), Recipe.model_fields)
        return unknown(Text("key", "키"), str(error["loc"][-1]), known, _ALIASES)
    if kind == "missing":
        return Text("it is missing", _KOREAN["missing"])
    shown = repr(error["input"])
    shown = shown if len(shown) <= 80 else shown[:80] + "…"
    message = error["msg"][:1].lower() + error["msg"][1:]
    korean = _KOREAN.get(kind)
    if korean is None and re.match(r"(int|float)_", kind):
        korean = "정수여야 합니다" if kind.startswith("int") else "수여야 합니다"
    return Text(f"{shown}: {message}", f"{shown}: {korean.format(**context) if korean else message}")
