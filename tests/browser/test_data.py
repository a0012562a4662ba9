"""Training data as people bring it: uploaded, looked through, shaped, split, and taken to a run."""

import json
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser import axe, seeds
from tests.browser.conftest import Open, Studio


async def _choose(page: Page, file: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose files").click()
    await (await chooser.value).set_files(file)


async def test_an_upload_is_reported_on_shaped_split_and_taken_to_a_run(
    studio: Studio, open_tab: Open, tmp_path: Path
) -> None:
    file = tmp_path / "quay.jsonl"
    rows = [*seeds.FAULTY, {"instruction": "When does the quay close?", "output": "At nine in the evening."}]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/data")
        await _choose(page, file)
        await expect(page.get_by_role("heading", level=1)).to_have_text("quay.jsonl")
        report = page.get_by_role("region", name="Report")
        await expect(report).to_contain_text("7 of 8 rows can be learned from")
        await report.locator("summary").filter(has_text="duplicates").first.click()
        await expect(report).to_contain_text("Line 2")
        await expect(report).to_contain_text("as line 1")

        shaping = page.get_by_role("region", name="Shape it")
        await shaping.get_by_role("checkbox", name="Replace personal data").check()
        await shaping.get_by_role("textbox", name="Name of the new set").fill("quay shaped")
        await shaping.get_by_role("button", name="Write the shaped set").click()
        await expect(shaping).to_contain_text("6 of 8 rows were kept.")
        await shaping.get_by_role("link", name="quay shaped").click()

        await expect(page.get_by_role("heading", level=1)).to_have_text("quay shaped")
        await expect(page.get_by_role("region", name="How it was made")).to_contain_text("1 sample")
        splitting = page.get_by_role("region", name="Split it")
        await splitting.get_by_role("textbox", name="Training, %").fill("70")
        await expect(splitting.get_by_role("alert")).to_contain_text("The shares make 90 %")
        await splitting.get_by_role("textbox", name="Proof, %").fill("20")
        await splitting.get_by_role("button", name="Split", exact=True).click()
        await expect(splitting.get_by_role("row")).to_have_count(4)
        await expect(splitting).to_contain_text("6 groups among 6 samples")
        assert not await axe.violations(page)
        await splitting.get_by_role("link", name="Training").click()

        await expect(page.get_by_role("heading", level=1)).to_have_text("quay shaped.train")
        await page.get_by_role("link", name="Train on this").click()
        # Chosen as it lies in the studio: no row is sent again.
        await expect(page.get_by_role("link", name="quay shaped.train")).to_be_visible()
        await expect(page.get_by_text("read as it lies in the studio")).to_be_visible()


async def test_columns_that_say_nothing_are_mapped_by_hand(
    studio: Studio, open_tab: Open, tmp_path: Path
) -> None:
    file = tmp_path / "desk.csv"
    file.write_text("a1,b2\nWho is the mayor?,Odalia Senn.\nWhat is the ferry called?,The Grey Heron.\n")
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/data")
        await _choose(page, file)
        mapping = page.get_by_role("region", name="Which column is which?")
        await expect(mapping).to_contain_text("a1, b2")
        await expect(mapping.get_by_role("button", name="Read it so")).to_be_disabled()
        await mapping.get_by_role("combobox", name="Question").select_option("a1")
        await mapping.get_by_role("combobox", name="Answer").select_option("b2")
        await mapping.get_by_role("button", name="Read it so").click()
        await expect(page.get_by_role("region", name="Report")).to_contain_text("2 of 2 rows")
        await expect(mapping).to_have_count(0)


async def test_two_sets_are_mixed_with_a_guarantee(studio: Studio, open_tab: Open) -> None:
    async with open_tab(studio.url) as watch:
        page = watch.page
        await page.goto(f"{studio.url}/data")
        await page.get_by_role("button", name="Mix sets").click()
        mixing = page.get_by_role("region", name="Mix sets")
        await expect(mixing.get_by_role("button", name="Mix", exact=True)).to_be_disabled()
        await mixing.get_by_role("checkbox", name="nurimae.en.train.jsonl", exact=True).check()
        await mixing.get_by_role("checkbox", name="harbour-questions.jsonl", exact=True).check()
        await mixing.get_by_label("At least so many of harbour-questions.jsonl in every window").fill("3")
        await mixing.get_by_label("Window, samples").fill("10")
        await mixing.get_by_label("Name of the mix").fill("town and harbour")
        await mixing.get_by_role("button", name="Mix", exact=True).click()
        mixes = page.get_by_role("region", name="Mixes")
        harbour = mixes.get_by_role("row").filter(has_text="harbour-questions.jsonl")
        await expect(harbour.get_by_role("cell").last).to_have_text("3")
        await mixes.get_by_role("link", name="town and harbour").click()
        await expect(page.get_by_role("region", name="How it was made")).to_contain_text(
            "Window, samples: 10"
        )
