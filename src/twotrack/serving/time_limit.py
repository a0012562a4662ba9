"""How long one answer may take: an endless one must not hold an engine's slot for ever."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

from twotrack.core.errors import TwotrackError
from twotrack.core.language import Text

T = TypeVar("T")


class AnswerTooLong(TwotrackError):
    status = 504
    detail = Text(
        "The answer took longer than {seconds} seconds and was cut off.",
        "답변이 {seconds}초를 넘어 중단했습니다.",
    )
    remedy = Text(
        "Ask for fewer tokens, or raise `answer_seconds` in the admin settings.",
        "토큰 수를 줄이거나 관리자 설정의 `answer_seconds`를 올리세요.",
    )


async def within(seconds: float | None, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The items, as long as they come in time; `items` is the caller's to close.

    Each wait has the limit, not the whole loop: what a consumer does between two items must not be cancelled.

    Raises:
        AnswerTooLong
    """
    loop = asyncio.get_running_loop()
    deadline = None if seconds is None else loop.time() + seconds
    while True:
        # A timer fires only while something waits, and an engine may have every token ready.
        if deadline is not None and loop.time() >= deadline:
            raise AnswerTooLong(seconds=seconds)
        try:
            async with asyncio.timeout_at(deadline) as limit:
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError:
            if limit.expired():
                raise AnswerTooLong(seconds=seconds) from None
            raise
        yield item
