"""Searching a log of any size: in steps that each read a bounded part of it."""

import re
import time
from dataclasses import dataclass
from typing import BinaryIO

from jobs.engine import LogFile
from jobs.web.logs import PIECE, clean, open_log

STEP_BYTES = 128 * 1024 * 1024
STEP_SECONDS = 1.0
"""One search ends after so many bytes or seconds, whichever comes first, and can be taken up again from there."""

COUNT_SECONDS = 1.0
"""The line of a match is said where it can be counted within so many seconds: a gigabyte in memory takes a fifth of one."""

LONGEST_QUERY = 200
MOST_MARKS = 1000
"""Matches that are marked in a piece of a log beside the one that was found."""

_CHUNK = 1024 * 1024
_CONTEXT = PIECE // 4


@dataclass(frozen=True)
class Search:
    """How far one step of a search came.

    Attributes:
        at: first byte of the match; None for none so far.
        line: number of its line, where that could be counted.
        reached: byte from which a further step would go on.
        reached_line: number of the line that `reached` is in, where known.
        over: there is nothing more to search in this direction.
        size: bytes of the log.
    """

    at: int | None
    line: int | None
    reached: int
    reached_line: int | None
    over: bool
    size: int


@dataclass(frozen=True)
class Segment:
    """A run of a log's text; `hit` for one that matches, `current` for the match that was found."""

    text: str
    hit: bool = False
    current: bool = False


def search(log: LogFile, query: str, start: int | None, *, backwards: bool, line: int | None = None) -> Search:
    """Look for the next match of a text, capitals and small letters (a to z) being alike.

    Args:
        log: as the engine gave it.
        query: the text; its first `LONGEST_QUERY` characters count.
        start: a match begins at or after this byte; backwards: before it. None for the end the search begins at.
        backwards: towards the beginning of the log.
        line: number of the line that byte `start` is in, if known.

    Raises:
        OSError: the log is gone.
    """
    needle = query[:LONGEST_QUERY].encode(errors="replace").lower()
    with open_log(log) as file:
        size = file.seek(0, 2)
        if start is None:
            start = size if backwards else 0
        start = max(0, min(start, size))
        if start == 0:
            line = 1
        at, reached = (_before if backwards else _after)(file, needle, start, size)
        number = _line_of(file, reached, start, line) if at is not None or line is not None else None
        over = at is None and (reached == 0 if backwards else reached >= size)
        return Search(at, number if at is not None else None, reached, number, over, size)


def _after(file: BinaryIO, needle: bytes, start: int, size: int) -> tuple[int | None, int]:
    deadline, stop = time.monotonic() + STEP_SECONDS, min(size, start + STEP_BYTES)
    here = start
    while here < stop and time.monotonic() < deadline:
        # The next chunk repeats what could be the beginning of a match that this one cuts.
        data = _read(file, here, _CHUNK + len(needle) - 1)
        found = data.find(needle)
        if found >= 0:
            return here + found, here + found
        here = min(here + _CHUNK, size)
    return None, here


def _before(file: BinaryIO, needle: bytes, start: int, size: int) -> tuple[int | None, int]:
    deadline, stop = time.monotonic() + STEP_SECONDS, max(0, start - STEP_BYTES)
    here = start
    while here > stop and time.monotonic() < deadline:
        begin = max(0, here - _CHUNK)
        data = _read(file, begin, here - begin + len(needle) - 1)
        found = data.rfind(needle)
        if found >= 0:
            return begin + found, begin + found
        here = begin
    return None, here


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length).lower()


def _line_of(file: BinaryIO, goal: int, start: int, line: int | None) -> int | None:
    """The number of the line that byte `goal` is in; counted from byte `start`, if the line of that is known."""
    if line is None:
        start, line = 0, 1
    between = _lines(file, min(goal, start), max(goal, start))
    if between is None:
        return None
    return line + between if goal >= start else line - between


def _lines(file: BinaryIO, start: int, end: int) -> int | None:
    """How many lines end between two bytes; None where counting them takes too long."""
    deadline = time.monotonic() + COUNT_SECONDS
    file.seek(start)
    count, left = 0, end - start
    while left > 0 and (data := file.read(min(_CHUNK, left))):
        count += data.count(b"\n")
        left -= len(data)
        if time.monotonic() > deadline:
            return None
    return count


def segments_around(log: LogFile, query: str, at: int) -> tuple[list[Segment], int, int]:
    """The piece of a log around a match, with the match and its fellows marked; also the piece's first byte and end.

    Raises:
        OSError: the log is gone.
    """
    query = query[:LONGEST_QUERY]
    length = len(query.encode(errors="replace"))
    with open_log(log) as file:
        begin = max(0, at - _CONTEXT)
        file.seek(begin)
        data = file.read(PIECE)
    if begin > 0:
        # From a whole line on, if one begins before the match.
        cut = data.find(b"\n", 0, at - begin) + 1
        begin, data = begin + cut, data[cut:]
    offset = at - begin
    parts = [
        *_marked(clean(data[:offset]), query),
        Segment(clean(data[offset : offset + length]), hit=True, current=True),
        *_marked(clean(data[offset + length :]), query),
    ]
    return [part for part in parts if part.text], begin, begin + len(data)


def _marked(text: str, query: str) -> list[Segment]:
    pattern = re.compile(f"({re.escape(query)})", re.IGNORECASE | re.ASCII)
    pieces = pattern.split(text, maxsplit=MOST_MARKS)
    return [Segment(piece, hit=number % 2 == 1) for number, piece in enumerate(pieces)]
