"""Files of a multipart request, written to the disk as they come."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from twotrack.core.language import Text
from twotrack.learning.ingest.errors import DocumentTooLarge, UploadBroken
from twotrack.learning.ingest.formats import MOST_FILES
from twotrack.learning.ingest.places import upload_name
from twotrack.registry.storage import disk_full_named

_LONGEST_FIELD = 1000


class Uploads:
    """Writes each file of a body into `folder` under its number: `names` are what they are called.

    Fields that are no files are in `fields`.
    """

    def __init__(self, folder: Path, content_type: str, *, largest: int) -> None:
        """
        Raises:
            UploadBroken: the request is no multipart/form-data.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise UploadBroken(why="multipart/form-data")
        self.names: list[str] = []
        self.fields: dict[str, str] = {}
        self._folder = folder
        self._largest = largest
        self._file: BinaryIO | None = None
        self._written = 0
        self._field = b""
        self._value = b""
        self._header = (b"", b"")
        self._headers: dict[bytes, bytes] = {}
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._over,
            },
        )

    async def receive(self, body: AsyncIterator[bytes]) -> None:
        """
        Raises:
            UploadBroken, DocumentTooLarge, DiskFull
        """
        try:
            with disk_full_named(self._folder, self._largest, "an upload"):
                async for chunk in body:
                    self._parser.write(chunk)
        except MultipartParseError as error:
            raise UploadBroken(why=str(error)) from error
        finally:
            if self._file is not None:
                self._file.close()
        if not self._ended:
            raise UploadBroken(why=Text("it ends in the middle", "중간에 끊겼습니다"))

    def _begin(self) -> None:
        self._headers = {}
        self._header = (b"", b"")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name + data[start:end], value)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        name, value = self._header
        self._header = (name, value + data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field, self._value = options.get(b"name", b""), b""
        given = options.get(b"filename")
        if given is None:
            return
        if len(self.names) >= MOST_FILES:
            raise UploadBroken(why=Text(f"more than {MOST_FILES} files", f"파일이 {MOST_FILES}개를 넘습니다"))
        self._file = (self._folder / str(len(self.names))).open("wb")
        self._written = 0
        self.names.append(upload_name(given.decode("utf-8", "replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._value += data[start:end]
            if len(self._value) > _LONGEST_FIELD:
                raise UploadBroken(why=Text("a field is too long", "필드가 너무 깁니다"))
            return
        self._written += end - start
        if self._written > self._largest:
            raise DocumentTooLarge(name=self.names[-1], limit_mib=self._largest // 2**20)
        self._file.write(data[start:end])

    def _end(self) -> None:
        if self._file is None:
            self.fields[self._field.decode("utf-8", "replace")] = self._value.decode("utf-8", "replace")
        else:
            self._file.close()
            self._file = None

    def _over(self) -> None:
        self._ended = True
