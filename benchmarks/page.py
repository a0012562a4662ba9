"""The page in Chromium: when its first view can be used, how much script it loads, frames while it streams.

The frames are those of the worst case: 10,000 messages in the page's memory and an answer of Markdown at 100
tokens a second. A script in the page stands in for the studio there, so that only the page is measured.
"""

import asyncio
import json
import statistics
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.measure import Row, at_most
from benchmarks.studio import running_studio
from tests.browser.chromium import MISSING, find, launched

_ROUNDS = 7
_SECONDS = 10
_TOKENS_A_SECOND = 100
_MESSAGES = 10_000
_SESSION = "00000000-0000-4000-8000-000000000001"

_STAND_IN = """
({session, count, rate, seconds}) => {
  const moment = '2026-01-01T00:00:00Z';
  const text = 'Some **words** of an answer with `code`, a [link](https://example.org) and a list:\\n\\n' +
    '- one\\n- two\\n\\n| a | b |\\n| --- | --- |\\n| 1 | 2 |\\n';
  const message = (position) => ({
    id: `${session.slice(0, -6)}${String(100000 + position)}`, position,
    role: position % 2 ? 'assistant' : 'user', content: position % 2 ? text : `Question ${position}?`,
    state: 'complete', details: {}, created_at: moment, siblings: [], feedback: null,
  });
  const whole = {
    id: session, title: 'Long', created_at: moment, updated_at: moment, earlier: false,
    messages: Array.from({length: count}, (_, position) => message(position)),
  };
  for (const one of whole.messages) one.siblings = [one.id];
  const by = {variant: 'base', gains: {}, left_out: 0};
  const ids = {session_id: session, question_id: message(count).id, answer_id: message(count + 1).id};
  const words = text.split(/(?<= )/);
  const frame = (name, data) =>
    new TextEncoder().encode(`event: ${name}\\ndata: ${JSON.stringify(data)}\\n\\n`);
  const stream = () => new ReadableStream({
    async start(out) {
      out.enqueue(frame('start', {...ids, waiting: 0, by}));
      const began = performance.now();
      for (let sent = 0; sent < rate * seconds;) {
        await new Promise((resolve) => setTimeout(resolve, 1000 / rate));
        for (const due = (performance.now() - began) * rate / 1000; sent < due; sent += 1)
          out.enqueue(frame('token', {text: words[sent % words.length]}));
      }
      out.enqueue(frame('end', {...ids, text: '', finish_reason: 'stop', usage: {}, timing: {}, by}));
      out.close();
    },
  });
  const real = window.fetch;
  window.fetch = (input, init) => {
    const url = new URL(typeof input === 'string' ? input : input.url, location.href);
    if (url.pathname === '/api/chat/stream')
      return Promise.resolve(new Response(stream(), {headers: {'Content-Type': 'text/event-stream'}}));
    if (url.pathname === `/api/chat/sessions/${session}`)
      return Promise.resolve(Response.json(whole));
    return real(input, init);
  };
}
"""

_FRAMES = """
(seconds) => new Promise((resolve) => {
  const times = [];
  const tick = (now) => {
    times.push(now);
    if (now - times[0] < seconds * 1000) requestAnimationFrame(tick);
    else resolve(times.slice(1).map((time, index) => time - times[index]));
  };
  requestAnimationFrame(tick);
})
"""

_SCRIPTS = """
() => performance.getEntriesByType('resource')
  .filter(({name}) => name.endsWith('.js')).reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)
"""


def run() -> list[Row]:
    program = find()
    if program is None:
        return [Row("page", "not measured", MISSING)]
    with running_studio() as studio:
        return asyncio.run(_measure(program, studio.url))


async def _measure(program: str, url: str) -> list[Row]:
    async with launched(program) as browser:
        views = {
            path: [await _first_view(browser, url + path) for _ in range(_ROUNDS)] for path in ("/", "/chat")
        }
        frames = await _frames(browser, url)
    rows = []
    for path, measured in views.items():
        seconds = min(seconds for seconds, _ in measured)
        rows.append(
            Row("page", f"first view of {path} usable, best of {_ROUNDS}", *at_most(seconds, 1.0, "s"))
        )
        script = max(size for _, size in measured) / 1000
        rows.append(Row("page", f"script for {path}, compressed", *at_most(script, 350, "kB")))
    rate = 1000 * len(frames) / sum(frames)
    late = sum(frame > 2 * statistics.median(frames) for frame in frames) / len(frames)
    figure = f"frames a second, {_TOKENS_A_SECOND} tokens/s, {_MESSAGES:,} messages"
    rows.append(Row("page", figure, f"{rate:.1f}", "≥ 59", rate >= 59))
    rows.append(Row("page", "frames that came late", f"{late:.1%}"))
    return rows


async def _first_view(browser: Browser, url: str) -> tuple[float, int]:
    """Seconds from the navigation until the view answers to a click, and bytes of script; nothing cached."""
    context = await browser.new_context(locale="en")
    page = await context.new_page()
    await page.goto(url, wait_until="commit")
    await page.get_by_role("heading", level=1).first.wait_for(state="attached")
    # Whatever the main thread still has to do comes before this.
    ready: float = await page.evaluate(
        "() => new Promise((done) => requestIdleCallback(() => done(performance.now())))"
    )
    await page.wait_for_load_state("networkidle")
    scripts: int = await page.evaluate(_SCRIPTS)
    await context.close()
    return ready / 1000, scripts


async def _frames(browser: Browser, url: str) -> list[float]:
    """Milliseconds between the frames while an answer streams."""
    context = await browser.new_context(locale="en", viewport={"width": 1440, "height": 900})
    page: Page = await context.new_page()
    given: dict[str, Any] = {
        "session": _SESSION,
        "count": _MESSAGES,
        "rate": _TOKENS_A_SECOND,
        "seconds": _SECONDS,
    }
    await page.add_init_script(f"({_STAND_IN})({json.dumps(given)})")
    await page.goto(f"{url}/chat/{_SESSION}")
    field = page.get_by_role("textbox", name="Your message")
    await field.fill("Go on")
    await field.press("Enter")
    # It is there for as long as an answer comes.
    await page.get_by_role("button", name="Stop").wait_for()
    measured: list[float] = await page.evaluate(_FRAMES, _SECONDS - 1)
    await context.close()
    return measured
