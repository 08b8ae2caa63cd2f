"""Takes an uploaded file into a folder: the body itself, or the one file of a form (multipart/form-data)."""

import asyncio
import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.body import check_length, media_type_of, too_large
from api.problems import Problem
from picturelock.errors import DiskFull

_AROUND: Final = 64 * 1024
"""What a form may have beside its file."""


async def save_file(request: Request, path: Path, limit: int) -> None:
    """Streams an upload of at most `limit` bytes into a file. Raises Problem (413, 415, 422), DiskFull."""
    try:
        await _save(request, path, limit)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull("there is no room for this upload") from error
        raise


async def _save(request: Request, path: Path, limit: int) -> None:
    media_type = media_type_of(request)
    with path.open("wb") as file:
        if media_type == "multipart/form-data":
            check_length(request, limit + _AROUND)
            reader: _Reader = _Form(request.headers["content-type"], file, limit)
        elif media_type == "application/octet-stream" or media_type.startswith(("image/", "video/", "audio/")):
            check_length(request, limit)
            reader = _Whole(file, limit)
        else:
            text = (
                "send application/octet-stream, the file's own media type, or a form (multipart/form-data), "
                f"not {media_type or 'no media type'}"
            )
            raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", text)
        async for chunk in request.stream():
            await asyncio.to_thread(reader.write, chunk)
        reader.end()


class _Reader(Protocol):
    def write(self, chunk: bytes) -> None:
        """Takes more of the body. Raises Problem."""

    def end(self) -> None:
        """Nothing more comes. Raises Problem where something is missing."""


@dataclass(slots=True)
class _Whole:
    """A body that is the file."""

    file: BinaryIO
    limit: int
    size: int = 0

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit:
            raise too_large(self.limit)
        self.file.write(chunk)

    def end(self) -> None:
        """An empty file is refused by whoever looks at it."""


@dataclass(slots=True)
class _Form:
    """A form with one file. Fields that are no files are passed over."""

    content_type: str
    file: BinaryIO
    limit: int
    _parser: MultipartParser = field(init=False)
    _body: _Whole = field(init=False)
    _header: list[bytes] = field(default_factory=lambda: [b"", b""])
    _disposition: bytes = b""
    _in_file: bool = False
    _files: int = 0
    _around: int = 0
    _size: int = 0
    _complete: bool = False

    def __post_init__(self) -> None:
        _, options = parse_options_header(self.content_type)
        if not options.get(b"boundary"):
            raise _refused("the form names no boundary")
        self._body = _Whole(self.file, self.limit)
        try:
            self._parser = MultipartParser(options[b"boundary"], {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._add(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._add(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_body,
                "on_part_data": self._take,
                "on_end": self._end,
            })  # fmt: skip
        except FormParserError as error:
            raise _refused("the form's boundary is none") from error

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self.limit + _AROUND:  # whatever it is that comes: parts without data, or line ends
            raise too_large(self.limit)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _refused("the form is damaged") from error

    def end(self) -> None:
        if not self._complete:
            raise _refused("the form breaks off")
        if not self._files:
            raise _refused("the form has no file")

    def _begin_part(self) -> None:
        self._disposition, self._in_file = b"", False

    def _add(self, place: int, text: bytes) -> None:
        self._header[place] += text

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _begin_body(self) -> None:
        self._in_file = b"filename" in parse_options_header(self._disposition)[1]
        self._files += self._in_file
        if self._files > 1:
            raise _refused("the form has more than one file: send each by itself")

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._body.write(data[start:end])
            return
        self._around += end - start
        if self._around > _AROUND:
            raise too_large(_AROUND)

    def _end(self) -> None:
        self._complete = True


def _refused(text: str) -> Problem:
    return Problem(422, "INVALID_FORM", text)
