"""Every view of the page, as people come to it: a new route without a row here fails (test_views.py)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from playwright.async_api import Locator, Page, expect

from tests.browser import seeds

Prepare = Callable[[Page], Awaitable[None]]

WIDE, NARROW = 1440, 390


@dataclass(frozen=True)
class View:
    name: str
    route: str | None
    """As router.tsx spells it; None for addresses that no route knows."""
    path: str
    """{words} stand for ids of the studio."""
    prepare: Prepare | None = None
    """Brings up what does not show by itself, such as a dialog."""
    studio: Literal["seeded", "empty", "keyed"] = "seeded"
    widths: tuple[int, ...] = (WIDE, NARROW)
    provokes: tuple[int, ...] = ()
    """Statuses that the studio answers with, and the browser logs."""

    def address(self, ids: Mapping[str, Mapping[str, str]], language: str) -> str:
        return self.path.format(**{name: of[language] for name, of in ids.items()})


def press(*names: str) -> Prepare:
    """Presses one after the other what has these names, which are patterns for both languages."""

    async def prepare(page: Page) -> None:
        for name in names:
            await _pressable(page, name).click()
        # What opened is there when it is read out.
        await expect(page.locator("#overlays").locator("[role=dialog], [role=menu]").first).to_be_visible()

    return prepare


def _pressable(page: Page, name: str) -> Locator:
    pattern = re.compile(name)
    found = page.get_by_role("button", name=pattern).or_(page.get_by_role("menuitem", name=pattern))
    return found.locator("visible=true").first


async def _cell_of_map(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("^attn.qk,")).first.click()
    await expect(
        page.get_by_role("table", name=re.compile("^(Modules of the cell|칸의 모듈)$"))
    ).to_be_visible()
    suggested = page.get_by_role("link", name=re.compile("^(Start a run on this|이 보드로)"))
    await suggested.scroll_into_view_if_needed()


async def _menu(page: Page) -> None:
    await _pressable(page, "^(Menu|메뉴)$").click()
    await expect(page.get_by_role("navigation").get_by_role("link").first).to_be_in_viewport()


async def _training_board(page: Page) -> None:
    await _new_run(page)
    switch = page.get_by_role("switch", name=re.compile("^(Choose cell by cell|칸마다 고르기)$"))
    # The grid of the base has to come first.
    await expect(switch).to_be_enabled()
    await switch.check(force=True)
    cell = page.get_by_role("button", name=re.compile("^(Layers 0–7, Query and key|레이어 0–7, 쿼리·키)"))
    await cell.click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def _curves(page: Page) -> None:
    # On a wide window one of two beside each other, on a narrow one of a list.
    name = re.compile("^(Curves|곡선)$")
    if await (choice := page.locator("label").filter(has_text=name)).first.is_visible():
        await choice.first.click()
    else:
        form = page.get_by_role("combobox", name=re.compile("^(In which form|조절 방식)$"))
        await form.select_option("smooth")
    await expect(page.get_by_role("slider").first).to_be_visible()


async def _new_run(page: Page) -> None:
    await _pressable(page, "^(New run|새 학습 실행)$").click()
    recipes = page.get_by_role("combobox", name=re.compile("^(Begin with|시작할)"))
    await recipes.select_option("llama-3-8b-8gb")
    await expect(page.get_by_text(re.compile("hf:meta-llama/"))).to_be_visible()


async def _sweep(page: Page) -> None:
    await _pressable(page, "^(New run|새 학습 실행)$").click()
    name = page.get_by_role("textbox", name=re.compile("^(Name of the variant|만들어질 변형의 이름)"))
    await name.fill("harbour")
    await page.get_by_role("switch", name=re.compile("^(Start several|여러 번)")).check(force=True)
    for start in ("^(The upper half|위쪽 절반)", "^(Attention alone|어텐션만)"):
        await _pressable(page, "^(Add a board|보드 추가)$").click()
        await _pressable(page, start).click()
    await _pressable(page, "^(Cells|칸)$").click()
    await expect(page.get_by_text(re.compile("harbour-attention-2"))).to_be_visible()


async def _elsewhere(page: Page) -> None:
    await _pressable(page, "^(Other sources|다른 곳에서)$").click()
    field = page.get_by_role("textbox", name=re.compile("^(From the web|웹에서)"))
    await expect(field).to_be_in_viewport()
    await field.fill("harbour.example/rules")
    await field.press("Enter")
    await expect(page.get_by_text(re.compile("http://.*: harbour.example/rules$"))).to_be_visible()


async def _new_collection(page: Page) -> None:
    await press("^(New collection|새 컬렉션)$")(page)
    await _pressable(page, "^(Embedder and store|임베더와 저장소 고르기)$").click()
    embedder = page.get_by_role("combobox", name=re.compile("^(Embedder|임베더)$"))
    await embedder.select_option("openai")
    await expect(
        page.get_by_role("textbox", name=re.compile("^(Address of its API|API 주소)"))
    ).to_be_visible()


async def _file_by_file(page: Page) -> None:
    await _pressable(page, "one by one$|결과 보기$").click()
    await expect(page.get_by_role("list", name=re.compile("^(File by file|파일별 결과)$"))).to_be_visible()


async def _secret(page: Page) -> None:
    await press("^(New key|새 키)$")(page)
    await page.get_by_role("dialog").get_by_role("textbox").first.fill(f"key {uuid4()}")
    await _pressable(page, "^(Make the key|키 만들기)$").click()
    await expect(page.get_by_text(re.compile("^ttk-"))).to_be_visible()


async def _tokens(page: Page) -> None:
    for finding in await page.locator("details").all():
        await finding.locator("summary").click()
    await _pressable(page, "^(Show the tokens|토큰 보기)$").click()
    await expect(page.get_by_text(re.compile("tokens are trained$|개를 배웁니다$")).first).to_be_visible()


async def _mix(page: Page) -> None:
    await _pressable(page, "^(Mix sets|데이터 섞기)$").click()
    await expect(page.get_by_role("heading", name=re.compile("^(Mix sets|데이터 섞기)$"))).to_be_visible()


_TALK = "/chat/$sessionId"
_SEARCH = "/documents/$collection/search"
_DOCUMENT = "/documents/$collection/$document"
_DATA_SET = "/data/$id"
_NOBODY = "0199a2b4-0000-7000-8000-000000000000"
_ROW = "^(Actions for “|“).*"
_COLLECTION, _PAPERS = "/documents/$collection", "/documents/{papers}"
_PAPER = "^(Actions for .*|.*에 대한 동작)$"
_MORE = "^(More about .*|.* 더 보기)$"
_DISCARD = "^(Discard its checkpoints|체크포인트 버리기)$"
_KEY = f"^(Actions for {seeds.KEY}|{seeds.KEY}에 대한 동작)$"

VIEWS = (
    View("home", "/", "/"),
    View("home-empty", "/", "/", studio="empty"),
    View("home-menu", "/", "/", prepare=_menu, widths=(NARROW,)),
    View("home-account", "/", "/", prepare=press("^(Owner|소유자)"), widths=(WIDE,)),
    View("chat", "/chat", "/chat"),
    View("chat-empty", "/chat", "/chat", studio="empty"),
    View("chat-session", _TALK, "/chat/{talk}"),
    View("chat-long", _TALK, "/chat/{long}"),
    View("chat-learn", _TALK, "/chat/{taught}?variant=SmolLM2-135M-Instruct"),
    View("chat-beside", _TALK, f"/chat/{{talk}}?beside={seeds.VARIANT}"),
    View("chat-details", _TALK, "/chat/{talk}", prepare=press("^(Details of the answer|답변의 자세한 정보)")),
    View("chat-settings", "/chat", "/chat", prepare=press("^(Settings of the answer|답변 설정)$")),
    View("chat-rename", _TALK, "/chat/{talk}", prepare=press(_ROW, "^(Rename|이름 바꾸기)"), widths=(WIDE,)),
    View("chat-delete", _TALK, "/chat/{talk}", prepare=press(_ROW, "^(Delete|삭제)"), widths=(WIDE,)),
    View("chat-list", "/chat", "/chat", prepare=press("^(Show the conv|대화 목록 보기)"), widths=(NARROW,)),
    View("chat-unknown", _TALK, "/chat/0199a2b4-0000-7000-8000-000000000000", provokes=(404,)),
    View("documents", "/documents", "/documents"),
    View("documents-empty", "/documents", "/documents", studio="empty"),
    View("documents-elsewhere", "/documents", "/documents", prepare=_elsewhere),
    View("collection-new", "/documents", "/documents", prepare=_new_collection),
    View("collection", _COLLECTION, _PAPERS),
    View("collection-failed", _COLLECTION, f"{_PAPERS}?state=failed"),
    View("collection-files", _COLLECTION, _PAPERS, prepare=_file_by_file),
    View("collection-menu", _COLLECTION, _PAPERS, prepare=press(_MORE), widths=(WIDE,)),
    View("collection-rename", _COLLECTION, _PAPERS, prepare=press(_MORE, "^(Rename|이름 바꾸기)$")),
    View("collection-embed", _COLLECTION, _PAPERS, prepare=press(_MORE, "^(Embed anew|다시 임베딩)$")),
    View(
        "collection-remove",
        *(_COLLECTION, _PAPERS),
        prepare=press(_MORE, "^(Delete the collection|컬렉션 삭제)$"),
    ),
    View("document-menu", _COLLECTION, _PAPERS, prepare=press(_PAPER)),
    View("document-remove", _COLLECTION, _PAPERS, prepare=press(_PAPER, "^(Delete|삭제)$")),
    View("collection-unknown", _COLLECTION, "/documents/nothing", provokes=(404,)),
    View("chat-documents", "/chat", f"/chat?documents={seeds.TOWN}"),
    View("chat-cited", _TALK, "/chat/{cited}"),
    View("chat-source", _TALK, "/chat/{cited}?source={document}&start={start}&end={end}"),
    View("chat-declined", _TALK, "/chat/{declined}"),
    View("chat-made", _TALK, "/chat/{cited}", prepare=press("^(How this answer|이 답변이 만들어진)")),
    View("search", _SEARCH, f"/documents/{seeds.TOWN}/search?query={{searched}}"),
    View("search-start", _SEARCH, f"/documents/{seeds.TOWN}/search"),
    View("search-unknown", _SEARCH, "/documents/nowhere/search?query=x", provokes=(404,)),
    View("document", _DOCUMENT, f"/documents/{seeds.TOWN}/{{document}}?start={{start}}&end={{end}}"),
    View("document-unknown", _DOCUMENT, f"/documents/{seeds.TOWN}/{_NOBODY}", provokes=(404,)),
    View("models", "/models", "/models"),
    View("models-empty", "/models", "/models", studio="empty"),
    View("model-base", "/models/$name", "/models/SmolLM2-135M-Instruct"),
    View("model-map", "/models/$name/map", "/models/SmolLM2-135M-Instruct/map", prepare=_cell_of_map),
    View("model-variant", "/models/$name", f"/models/{seeds.SOFTER}"),
    View("model-export", "/models/$name/export", f"/models/{seeds.SOFTER}/export"),
    View("model-board", "/models/$name/board", f"/models/{seeds.SOFTER}/board"),
    View("model-board-base", "/models/$name/board", "/models/SmolLM2-135M-Instruct/board"),
    View(
        "model-board-curves",
        *("/models/$name/board", f"/models/{seeds.SOFTER}/board"),
        prepare=_curves,
    ),
    View(
        "model-board-save",
        *("/models/$name/board", f"/models/{seeds.SOFTER}/board"),
        prepare=press("^(Keep as a variant|변형으로 저장)$"),
    ),
    View("model-new", "/models", "/models", prepare=press("^(New variant|새 변형)$")),
    View(
        "model-rename",
        *("/models/$name", f"/models/{seeds.SOFTER}"),
        prepare=press(_MORE, "^(Rename|이름 바꾸기)$"),
    ),
    View(
        "model-remove",
        *("/models/$name", "/models/SmolLM2-135M-Instruct"),
        prepare=press(_MORE, "^(Remove|삭제)$"),
    ),
    View("model-unknown", "/models/$name", "/models/nobody", provokes=(404,)),
    View("data", "/data", "/data", prepare=_mix),
    View("data-empty", "/data", "/data", studio="empty"),
    View("data-faulty", _DATA_SET, "/data/{faulty}", prepare=_tokens),
    View("data-clean", _DATA_SET, "/data/{clean}"),
    View("data-remove", _DATA_SET, "/data/{clean}", prepare=press(_MORE, "^(Delete|삭제)$"), widths=(WIDE,)),
    View("data-unclear", _DATA_SET, "/data/{unclear}"),
    View("data-unknown", _DATA_SET, f"/data/{_NOBODY}", provokes=(404,)),
    View("runs", "/runs", "/runs"),
    View("runs-empty", "/runs", "/runs", studio="empty"),
    View("run-new", "/runs", "/runs", prepare=_new_run),
    View("run-new-board", "/runs", "/runs", prepare=_training_board),
    View("run-data", "/runs", "/runs?data={clean}"),
    View("run-finished", "/runs/$runId", "/runs/{finished}"),
    View("run-failed", "/runs/$runId", "/runs/{failed}"),
    View("run-cancelled", "/runs/$runId", "/runs/{cancelled}"),
    View("run-sweep", "/runs/sweeps/$sweepId", "/runs/sweeps/{sweep}"),
    View("run-new-sweep", "/runs", "/runs", prepare=_sweep),
    View("run-paused", "/runs/$runId", "/runs/{paused}", widths=(NARROW,)),
    View("run-discard", "/runs/$runId", "/runs/{paused}", prepare=press(_DISCARD), widths=(WIDE,)),
    View("run-unknown", "/runs/$runId", "/runs/0199a2b4-0000-7000-8000-000000000000", provokes=(404,)),
    View("settings", "/admin", "/admin"),
    View("settings-empty", "/admin", "/admin", studio="empty"),
    View("keys", "/admin/keys", "/admin/keys"),
    View("keys-empty", "/admin/keys", "/admin/keys", studio="empty"),
    View("key-secret", "/admin/keys", "/admin/keys", prepare=_secret),
    View("key-revoke", "/admin/keys", "/admin/keys", prepare=press(_KEY, "^(Revoke|폐기|해지|취소)$")),
    View("origins", "/admin/origins", "/admin/origins"),
    View("origins-empty", "/admin/origins", "/admin/origins", studio="empty"),
    View("memory", "/admin/memory", "/admin/memory"),
    View("memory-empty", "/admin/memory", "/admin/memory", studio="empty"),
    View("log", "/admin/log", "/admin/log"),
    View("log-empty", "/admin/log", "/admin/log", studio="empty"),
    View("jobs", "/admin/jobs", "/admin/jobs"),
    View("jobs-empty", "/admin/jobs", "/admin/jobs", studio="empty"),
    View("sign-in", "/", "/", studio="keyed", provokes=(401,)),
    View("not-found", None, "/no/such/place"),
)
