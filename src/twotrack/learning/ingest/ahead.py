"""Work that is done ahead of whoever uses it, handed over in groups."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

_T = TypeVar("_T")

_AHEAD = 16


class _End:
    pass


async def in_groups(
    items: AsyncGenerator[_T, None], *, weight: Callable[[_T], int], limit: int
) -> AsyncGenerator[list[_T], None]:
    """Items are made while the groups before them are worked on, up to 16 ahead.

    A group is what is ready when it is asked for, at least one item, until its weight reaches `limit`.
    """
    ready: asyncio.Queue[_T | Exception | _End] = asyncio.Queue(_AHEAD)

    async def make() -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await ready.put(item)
            await ready.put(_End())
        except Exception as error:
            await ready.put(error)

    making = asyncio.create_task(make(), name="work ahead")
    try:
        over = False
        while not over:
            group: list[_T] = []
            heavy = 0
            while heavy < limit and len(group) < _AHEAD and not (group and ready.empty()):
                found = await ready.get()
                if isinstance(found, Exception):
                    raise found
                if isinstance(found, _End):
                    over = True
                    break
                group.append(found)
                heavy += weight(found)
            if group:
                yield group
    finally:
        making.cancel()
        await asyncio.wait([making])
