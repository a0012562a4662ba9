"""`twotrack train`: a LoRA run from a messages JSONL file or a recipe, followed to its end."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from twotrack.cli.client import ProblemError, StudioClient, studio
from twotrack.cli.jobs import FINAL, follow
from twotrack.cli.options import Json, words
from twotrack.cli.output import Output, printable
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.core.settings import Settings

_RECIPE_ENDINGS = (".yaml", ".yml", ".json")
_NOT_A_FILE = Text("it is not a file that can be read", "읽을 수 있는 파일이 아닙니다")
_NO_DATA = Text("the recipe names no data file", "레시피에 데이터 파일이 없습니다")
_NOTHING = Text("name a data file or a recipe", "데이터 파일이나 레시피를 지정하세요")
_NO_SEEDS = Text("seeds are whole numbers with commas between", "시드는 쉼표로 구분한 정수입니다")
_NO_SWEEP = Text("a sweep has boards, seeds, or both", "boards나 seeds만 쓸 수 있습니다")
_NOT_UTF8 = Text("it is not UTF-8 text", "UTF-8 텍스트가 아닙니다")


def train(
    source: Annotated[
        Path | None,
        typer.Argument(
            help=words(
                "messages as JSONL, or a recipe (.yaml, .json)", "메시지 JSONL 또는 레시피(.yaml, .json)"
            )
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help=words("name of the result", "결과의 이름"))] = None,
    base: Annotated[str | None, typer.Option(help=words("base to train on", "학습할 베이스"))] = None,
    epochs: Annotated[
        int | None, typer.Option(help=words("how often the data is seen", "데이터를 보는 횟수"))
    ] = None,
    method: Annotated[
        str | None, typer.Option(help=words("lora, rslora or qlora", "lora, rslora 또는 qlora"))
    ] = None,
    rank: Annotated[int | None, typer.Option(help=words("rank of the adapter", "어댑터의 랭크"))] = None,
    learning_rate: Annotated[float | None, typer.Option(help=words("learning rate", "학습률"))] = None,
    seed: Annotated[
        int | None, typer.Option(help=words("seed of everything random", "모든 난수의 시드"))
    ] = None,
    data_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help=words("learn from this data set of the studio", "스튜디오의 이 데이터로 학습")
        ),
    ] = None,
    held_out_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help=words(
                "data set that is not learned: its loss is taken after each epoch",
                "학습하지 않고 에포크마다 손실을 재는 데이터",
            ),
        ),
    ] = None,
    checkpoints: Annotated[
        int | None,
        typer.Option(help=words("variants of earlier epochs to keep", "변형으로 남길 이전 에포크의 수")),
    ] = None,
    pause: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help=words("stop this run, to go on later", "이 실행을 멈추고 나중에 이어 가기")
        ),
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help=words("go on with this run", "이 실행을 이어 가기"))
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="N,N,…", help=words("one run for each of these seeds", "시드마다 한 번씩 실행")),
    ] = None,
    sweep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=words(
                "YAML with boards (name: rows) and seeds: one run for each",
                "boards(이름: 행)와 seeds가 든 YAML. 조합마다 한 번씩 실행",
            ),
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help=words("train even if memory is forecast too small", "메모리 부족이 예상되어도 실행"),
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    from twotrack.learning.train.recipe import parse_recipe

    output = Output(as_json)
    if pause or resume:
        with studio(Settings(), output) as client:
            output.data(
                pause_run(client, output, pause) if pause else resume_run(client, output, str(resume))
            )
        return
    if source is None and data_id is None:
        raise typer.BadParameter(_NOTHING.show(output.language), param_hint="SOURCE")
    recipe, data = ({}, None) if source is None else read_source(source, data_id=data_id)
    chosen = {
        "name": name,
        "base": base,
        "epochs": epochs,
        "method": method,
        "rank": rank,
        "learning_rate": learning_rate,
        "seed": seed,
        "data_id": data_id,
        "held_out_id": held_out_id,
        "checkpoints": checkpoints,
    }
    recipe |= {key: value for key, value in chosen.items() if value is not None}
    if source is not None:
        recipe.setdefault("name", source.stem)
    over = read_sweep(seeds, sweep)
    # Whatever is wrong with the recipe is said before anything starts; the base is looked up there.
    parse_recipe({"base": "?"} | recipe)
    with studio(Settings(), output) as client:
        recipe.setdefault("base", only_base(client))
        if over:
            output.data(run_sweep(client, output, recipe, data, over, force=force))
        else:
            output.data(run(client, output, recipe, data, force=force))


def read_sweep(seeds: str | None, file: Path | None) -> dict[str, Any]:
    """What is swept over: `seeds` and `boards`, of the command line and the file; empty without either.

    Raises:
        InvalidInput: seeds that are no whole numbers, or a file that says something else.
    """
    from twotrack.learning.train.recipe import read_recipe

    over = {} if file is None else read_recipe(read_text(file))
    if file is not None and (not over or over.keys() - {"seeds", "boards"}):
        raise InvalidInput(what="sweep", value=str(file), why=_NO_SWEEP)
    if seeds is not None:
        try:
            over["seeds"] = [int(seed) for seed in seeds.split(",")]
        except ValueError:
            raise InvalidInput(what="seeds", value=seeds, why=_NO_SEEDS) from None
    return over


def read_source(source: Path, *, data_id: str | None = None) -> tuple[dict[str, Any], str | None]:
    """The recipe's fields and the data's text; a data file alone is a recipe of defaults.

    With a data set of the studio, named by `data_id` or in the recipe, there is no text.

    Raises:
        InvalidInput: a file that cannot be read, or a recipe without data.
    """
    from twotrack.learning.train.recipe import read_recipe

    text = read_text(source)
    if source.suffix.lower() not in _RECIPE_ENDINGS:
        return {}, text
    recipe = read_recipe(text)
    data = recipe.pop("data", None)
    if data_id is not None or recipe.get("data_id") is not None:
        return recipe, None
    if not isinstance(data, str):
        raise InvalidInput(what="recipe", value=str(source), why=_NO_DATA)
    # As a path in a file means everywhere: beside that file.
    return recipe, read_text(source.parent / data)


def run(
    client: StudioClient, output: Output, recipe: dict[str, Any], data: str | None, *, force: bool = False
) -> dict[str, Any]:
    """Train and wait; the run's result."""
    asked = {"recipe": recipe, "data": data, "force": force}
    return _followed(client, output, client.post("/api/training/runs", asked))


def run_sweep(
    client: StudioClient,
    output: Output,
    recipe: dict[str, Any],
    data: str | None,
    over: Mapping[str, Any],
    *,
    force: bool = False,
) -> list[dict[str, Any]]:
    """Train all runs of a sweep and wait; the results of those that succeeded. Ctrl-C cancels the one that is
    followed and leaves the others waiting.

    Raises:
        ProblemError: of the last one that failed, once all are over.
    """
    asked = {"recipe": recipe, "data": data, "force": force, **over}
    results = []
    failed: ProblemError | None = None
    for started in client.post("/api/training/sweeps", asked):
        try:
            results.append(_followed(client, output, started))
        except ProblemError as error:
            name = str(started["recipe"]["name"])
            output.say(Text("[red]✗[/] {name}: {why}", "[red]✗[/] {name}: {why}"), name=name, why=str(error))
            failed = error
    if failed is not None:
        raise failed
    return results


def _followed(client: StudioClient, output: Output, started: dict[str, Any]) -> dict[str, Any]:
    recipe = started["recipe"]
    title = Text("training {name}", "{name} 학습 중")
    result = follow(client, output, started["job"]["id"], title, name=str(recipe["name"]))
    output.say(
        Text(
            "[green]✓[/] variant {name}: {steps} steps, loss {loss:.3f} nats a token",
            "[green]✓[/] 변형 {name}: {steps} 스텝, 손실 {loss:.3f} nats/토큰",
        ),
        **{key: result[key] for key in ("name", "steps", "loss")},
    )
    show_answers(output, client.get(f"/api/training/runs/{started['job']['id']}").get("answers", ()))
    if goal := recipe.get("goal"):
        remind(output, goal, str(result["name"]))
    return result


def show_answers(output: Output, answers: Sequence[Mapping[str, Any]]) -> None:
    """What each prompt of the goal was answered on the way, the first and the last time."""
    for prompt in dict.fromkeys(str(one["prompt"]) for one in answers):
        given = [one for one in answers if one["prompt"] == prompt]
        output.say(Text("[bold]{prompt}[/]", "[bold]{prompt}[/]"), prompt=printable(prompt))
        for one in given[:: max(1, len(given) - 1)]:
            said = Text("  step {step}: {answer}", "  {step} 스텝: {answer}")
            output.say(said, step=one["step"], answer=printable(" ".join(str(one["answer"]).split())))


def pause_run(client: StudioClient, output: Output, run_id: str) -> dict[str, Any]:
    """Stop a run and say how to go on with it; the run as it is then."""
    paused: dict[str, Any] = client.post(f"/api/training/runs/{quote(run_id, safe='')}/pause")
    if paused["job"]["state"] in FINAL and not paused["paused"]:
        ended = Text("the run is over: {state}", "이미 끝난 실행입니다: {state}")
        output.say(ended, state=paused["job"]["state"])
    else:
        command = f"twotrack train --resume {run_id}"
        output.say(Text("pausing; go on with: {command}", "멈추는 중. 이어 가기: {command}"), command=command)
    return paused


def resume_run(client: StudioClient, output: Output, run_id: str) -> dict[str, Any]:
    """Go on with a run and wait; its result."""
    return _followed(client, output, client.post(f"/api/training/runs/{quote(run_id, safe='')}/resume"))


def remind(output: Output, goal: Mapping[str, Any], variant: str) -> None:
    """What was wanted when the training began, and how to see whether it came about."""
    if criteria := str(goal.get("criteria", "")).strip():
        output.say(Text("The goal was: {criteria}", "목표: {criteria}"), criteria=printable(criteria))
    for prompt in goal.get("prompts", ()):
        command = shlex.join(["twotrack", "chat", prompt, "--variant", variant])
        output.say(Text("  try: {command}", "  시험: {command}"), command=printable(command))


def only_base(client: StudioClient) -> str:
    """The base to train on when nobody named one: there must be just one."""
    names = [entry["base"]["name"] for entry in client.get("/api/models")["models"]]
    if len(names) == 1:
        return str(names[0])
    why = Text("--base names one of: ", "--base로 하나를 고르세요: ")
    listed = ", ".join(names) or "—"
    raise InvalidInput(what="base", value=None, why=Text(why.en + listed, why.ko + listed))


def read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(what="data", value=f"{path}, byte {error.start}", why=_NOT_UTF8) from None
    except OSError:
        raise InvalidInput(what="data", value=str(path), why=_NOT_A_FILE) from None
