"""The confined child: what a hostile document can do to it, and that the next one is read all the same."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from twotrack.learning.ingest.errors import DocumentEmpty, UnreadableDocument
from twotrack.learning.ingest.readers.process import Limits, Readers

SAMPLE = Path(__file__).parents[4] / "samples/documents/en/harbour-bylaws.docx"


@pytest.fixture
def long_text(tmp_path: Path) -> Path:
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" * 500_000)
    return path


async def test_errors_come_through_with_their_words_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    readers = Readers()
    with pytest.raises(DocumentEmpty) as caught:
        await readers.read(tmp_path / "empty.txt", "빈 글.txt")
    assert "빈 글.txt" in caught.value.explain("ko")
    kind, document = await readers.read(SAMPLE, SAMPLE.name)
    assert kind.endswith("wordprocessingml.document")
    assert document.headings
    await readers.close()


async def test_a_child_that_dies_takes_one_document_with_it(long_text: Path) -> None:
    readers = Readers()
    await readers.read(SAMPLE, SAMPLE.name)
    reading = asyncio.create_task(readers.read(long_text, long_text.name))
    await asyncio.sleep(0)
    assert readers._child is not None
    os.kill(readers._child.pid, signal.SIGKILL)
    with pytest.raises(UnreadableDocument, match="SIGKILL"):
        await reading
    assert (await readers.read(SAMPLE, SAMPLE.name))[1].text
    await readers.close()


async def test_too_much_memory_is_refused_in_words(long_text: Path) -> None:
    readers = Readers(Limits(memory_mib=300))
    with pytest.raises(UnreadableDocument, match="memory"):
        await readers.read(long_text, long_text.name)
    assert (await readers.read(SAMPLE, SAMPLE.name))[1].text
    await readers.close()


async def test_too_much_time_is_refused_in_words(long_text: Path) -> None:
    readers = Readers(Limits(seconds=0))
    with pytest.raises(UnreadableDocument, match="more than 0 seconds"):
        await readers.read(long_text, long_text.name)
    await readers.close()


async def test_a_cancelled_reading_leaves_no_answer_for_the_next(long_text: Path) -> None:
    readers = Readers()
    reading = asyncio.create_task(readers.read(long_text, long_text.name))
    while readers._child is None:
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert "Harbour" in (await readers.read(SAMPLE, SAMPLE.name))[1].text
    await readers.close()
