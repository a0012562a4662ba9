"""A run as people ask for it: form, recipe as a file, pausing, a sweep. No worker takes it up here."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.browser import axe, seeds
from tests.browser.conftest import Open, Studio
from tests.conftest import PlaceStarter, Serve
from tests.security.conftest import run
from twotrack.core.database import Database
from twotrack.core.language import Text
from twotrack.core.settings import Settings
from twotrack.learning.train.errors import WillNotFit
from twotrack.learning.train.plan import RunFolder
from twotrack.learning.train.recipe import read_recipe
from twotrack.registry.layout import Layout


@pytest.fixture(scope="module")
def waiting_studio(
    fresh_database: Callable[[], AbstractContextManager[str]],
    serve: Serve,
    place_starter: PlaceStarter,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("waiting")
    layout = Layout(home)
    rows = b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n'
    refusal = WillNotFit(
        needed_gib=11.0, capacity_gib=4.0, fits=Text("This would fit: rank: 4.", "이러면 됩니다: rank: 4.")
    )

    async def prepare(url: str) -> UUID:
        database = Database(url)
        await database.open()
        base = await place_starter(layout, database)
        refused = await seeds.plant_run(
            database,
            layout,
            base,
            "too-large",
            state="failed",
            ago=timedelta(hours=1),
            error=refusal,
            more={"data_sha256": sha256(rows).hexdigest()},
        )
        RunFolder(layout.job(refused)).data.write_bytes(rows)
        await database.close()
        return refused

    with fresh_database() as database_url:
        refused = str(run(prepare(database_url)))
        with serve(Settings(home=home, threads=1), database_url) as url:
            yield Studio(url, home, {"refused": {"en": refused, "ko": refused}})


async def test_a_run_is_asked_for_with_a_goal_and_paused_and_goes_on(
    waiting_studio: Studio, open_tab: Open
) -> None:
    async with open_tab(waiting_studio.url) as watch:
        page = watch.page
        await page.goto(f"{waiting_studio.url}/runs")
        name = page.get_by_label("Name of the variant that comes out")
        # Where a first try has left a run, the form is to be asked for.
        new = page.get_by_role("button", name="New run")
        await expect(name.or_(new).first).to_be_visible()
        if await new.is_visible():
            await new.click()
        await name.fill("my-facts")
        await page.get_by_role("button", name="Take the example").click()
        await page.get_by_label("Questions to try the result with").fill(
            "Who is the mayor?\n\n시장은 누구인가요?"
        )
        await page.get_by_label("By what the answers will be judged").fill('Short. No "lists".')
        presets = page.get_by_role("combobox", name="Begin with a recipe")
        await presets.select_option("koalpaca-5.8b-8gb")
        await expect(page.get_by_text("its query, key and value are one matrix")).to_be_visible()
        await expect(page.get_by_text("bring it from hf:beomi/KoAlpaca-Polyglot-5.8B")).to_be_visible()
        await expect(page.get_by_label("Longest row", exact=True)).to_have_value("1024")
        await presets.select_option("The defaults")
        await expect(page.get_by_label("Longest row", exact=True)).to_have_value("")
        await page.get_by_role("combobox", name="Method").select_option("qlora")
        await page.get_by_label("Epochs", exact=True).fill("2")
        asked = {
            "base": "SmolLM2-135M-Instruct",
            "name": "my-facts",
            "method": "qlora",
            "epochs": 2,
            "goal": {
                "prompts": ["Who is the mayor?", "시장은 누구인가요?"],
                "criteria": 'Short. No "lists".',
            },
        }
        written = page.get_by_role("region", name="As a recipe file").locator("pre")
        assert read_recipe(await written.inner_text()) == asked
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save the recipe as a file").click()
        saved = await download.value
        assert saved.suggested_filename == "my-facts.yaml"
        text = await asyncio.to_thread(Path(await saved.path()).read_text, "utf-8")
        assert read_recipe(text) == asked
        watch.tripped = [one for one in watch.tripped if not one.startswith("download: ")]

        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("my-facts")
        await expect(page.get_by_role("heading", name="Goal")).to_be_visible()
        await expect(page.get_by_text('Short. No "lists".')).to_be_visible()
        await expect(page.get_by_role("definition").filter(has_text="QLoRA")).to_be_visible()
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_text("This run is paused.")).to_be_visible()
        await expect(page.get_by_text("Paused", exact=True)).to_be_visible()
        assert not await axe.violations(page)
        await page.reload()
        await expect(page.get_by_role("button", name="Discard its checkpoints")).to_be_visible()
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
        await expect(page.get_by_text("Waiting", exact=True)).to_be_visible()


async def test_a_run_takes_sets_that_lie_in_the_studio_without_their_rows(
    waiting_studio: Studio, open_tab: Open
) -> None:
    rows = '{"instruction": "Who is the mayor?", "output": "Odalia Senn."}\n'
    async with httpx.AsyncClient(base_url=waiting_studio.url, timeout=60, trust_env=False) as client:
        for name in ("learned.jsonl", "kept-back.jsonl"):
            answer = await client.post("/api/data", files={"file": (name, rows.encode())})
            data_id = answer.raise_for_status().json()["id"]
    async with open_tab(waiting_studio.url) as watch:
        page = watch.page
        await page.goto(f"{waiting_studio.url}/data")
        await page.get_by_role("link", name="learned.jsonl").first.click()
        await page.get_by_role("link", name="Train on this").click()
        await page.get_by_label("Name of the variant that comes out").fill(f"mayor-{data_id[:8]}")
        await page.get_by_role("combobox", name="Held-out set").select_option("kept-back.jsonl")
        async with page.expect_request("**/api/training/runs") as asked:
            await page.get_by_role("button", name="Start training").click()
        sent = cast("dict[str, Any]", (await asked.value).post_data_json)
        assert "data" not in sent
        assert sent["recipe"]["held_out_id"] == data_id
        facts = page.get_by_role("definition")
        await expect(facts.get_by_role("link", name="learned.jsonl")).to_be_visible()
        await expect(facts.get_by_role("link", name="kept-back.jsonl")).to_be_visible()
        await page.get_by_role("button", name="Cancel the run").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
        await page.get_by_role("link", name="Change and start again").click()
        await expect(page.get_by_role("combobox", name="Examples from")).to_have_value(
            sent["recipe"]["data_id"]
        )


async def test_a_run_that_was_refused_for_its_memory_is_started_all_the_same(
    waiting_studio: Studio, open_tab: Open
) -> None:
    async with open_tab(waiting_studio.url) as watch:
        page = watch.page
        await page.goto(f"{waiting_studio.url}/runs/{waiting_studio.ids['refused']['en']}")
        await expect(page.get_by_role("alert")).to_contain_text("This would fit: rank: 4.")
        async with page.expect_request("**/api/training/runs") as asked:
            await page.get_by_role("button", name="Start all the same").click()
        assert cast("dict[str, Any]", (await asked.value).post_data_json)["force"] is True
        await expect(page.get_by_text("forced", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Cancel the run").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
        await expect(page.get_by_text("This run was cancelled.")).to_be_visible()


async def test_several_runs_are_started_looked_at_and_cancelled_together(
    waiting_studio: Studio, open_tab: Open
) -> None:
    async with open_tab(waiting_studio.url) as watch:
        page = watch.page
        await page.goto(f"{waiting_studio.url}/runs?start=")
        await page.get_by_label("Name of the variant that comes out").fill("harbour")
        await page.get_by_role("button", name="Take the example").click()
        await page.get_by_role("switch", name="Start several runs to compare").check(force=True)
        await page.get_by_role("textbox", name="Seeds").fill("0, 7")
        for start in ("Attention alone", "The upper half", "MLP alone"):
            await page.get_by_role("button", name="Add a board").click()
            await page.get_by_role("menuitem", name=re.compile(start)).click()
        # Cells that were opened go with their board.
        cells = page.get_by_role("button", name="Cells")
        await cells.first.click()
        await expect(cells.first).to_have_attribute("aria-expanded", "true")
        await page.get_by_role("button", name="Take out the board attention").click()
        await expect(cells).to_have_count(2)
        await expect(cells.first).to_have_attribute("aria-expanded", "false")
        await expect(page.get_by_text("harbour-upper-0, harbour-upper-7, harbour-mlp-0")).to_be_visible()
        over = await page.get_by_role("region", name="What is swept over").locator("pre").inner_text()
        assert read_recipe(over) == {
            "seeds": [0, 7],
            "boards": {
                "upper": ["freeze", "freeze", "train", "train"],
                "mlp": [["freeze", "freeze", "train", "train"]] * 4,
            },
        }
        await page.get_by_role("button", name="Start all of them").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sweep: harbour")
        runs = page.get_by_role("table", name="The runs of this sweep")
        await expect(runs.get_by_role("row")).to_have_count(5)
        await expect(runs.get_by_text("Waiting")).to_have_count(4)
        assert not await axe.violations(page)
        await page.get_by_role("button", name="Cancel the sweep").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel the sweep").click()
        await expect(runs.get_by_text("Cancelled")).to_have_count(4)
        await runs.get_by_role("link", name="harbour-mlp-7").click()
        await page.get_by_role("link", name="part of a sweep").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sweep: harbour")


async def test_the_variant_of_a_run_is_in_its_sweep_once_the_run_is_done(
    studio: Studio, open_tab: Open
) -> None:
    is_done = False
    async with httpx.AsyncClient(base_url=studio.url, trust_env=False) as http:
        models = (await http.get("/api/models")).json()
    (variant,) = (
        one["id"] for entry in models["models"] for one in entry["variants"] if one["name"] == seeds.VARIANT
    )

    async def sweep(route: Route) -> None:
        answer = await route.fetch()
        runs = await answer.json()
        job = next(one["job"] for one in runs if one["job"]["result"])
        if is_done:
            job["result"]["variant_id"] = variant
        else:
            job["state"] = "running"
        await route.fulfill(response=answer, json=runs)

    async def without_it(route: Route) -> None:
        answer = await route.fetch()
        listed = await answer.json()
        for entry in listed["models"] if not is_done else ():
            entry["variants"] = [one for one in entry["variants"] if one["id"] != variant]
        await route.fulfill(response=answer, json=listed)

    async with open_tab(studio.url, fresh=True) as watch:
        page = watch.page
        await page.route("**/api/training/sweeps/*", sweep)
        await page.route("**/api/models", without_it)
        await page.goto(f"{studio.url}/runs/sweeps/{studio.ids['sweep']['en']}")
        runs = page.get_by_role("table", name="The runs of this sweep")
        await expect(runs.get_by_text("Running")).to_be_visible()
        is_done = True
        await expect(runs.get_by_role("link", name=seeds.VARIANT, exact=True)).to_be_visible()
