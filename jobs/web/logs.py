"""Reading a log piece by piece, as text for a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from jobs.engine import EngineError, LogFile, handle_of
from jobs.errors import InvalidAttribute

PIECE = 64 * 1024
"""Bytes of a log that a page shows, or that one refresh brings."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
"""Colours and titles that programs write for a terminal (ECMA-48 CSI and OSC sequences)."""


@dataclass(frozen=True)
class Piece:
    """A range of a log.

    Attributes:
        text: what it says; bytes that are no UTF-8 are replaced.
        start: byte at which it begins; `end`: at which the next one does.
        size: bytes of the whole log when it was read.
    """

    text: str
    start: int
    end: int
    size: int


def open_log(log: LogFile) -> BinaryIO:
    """Open a log for reading; a link that a job put in its place is not followed.

    Raises:
        OSError: it is gone, or no regular file.
    """
    try:
        return log.open()
    except InvalidAttribute as error:
        raise FileNotFoundError(f"{log.name}: no regular file") from error


def piece(log: LogFile, offset: int = -PIECE, length: int = PIECE) -> Piece:
    """Read a piece of a log; a character that is only half written is left for the next piece.

    Args:
        log: as the engine gave it.
        offset: first byte; a negative one counts from the end, and the piece then begins with a whole line.
        length: most bytes to read.

    Raises:
        OSError: the log is gone.
    """
    with open_log(log) as file:
        size = file.seek(0, 2)
        start = max(0, size + offset) if offset < 0 else min(offset, size)
        file.seek(start)
        data = file.read(length)
    if offset < 0 and start > 0:
        cut = _line_begin(data)
        start, data = start + cut, data[cut:]
    end = start + len(data)
    whole = data[: len(data) - _half_character(data)]
    # A broken character would be held back for ever if it were alone.
    if whole or end < size + length:
        data, end = whole, start + len(whole)
    return Piece(clean(data), start, end, max(size, end))


def piece_before(log: LogFile, end: int, length: int = PIECE) -> Piece:
    """The piece that ends at byte `end`, from a whole line on.

    Raises:
        OSError: the log is gone.
    """
    with open_log(log) as file:
        size = file.seek(0, 2)
        end = min(end, size)
        start = max(0, end - length)
        file.seek(start)
        data = file.read(end - start)
    if start > 0:
        cut = _line_begin(data)
        start, data = start + cut, data[cut:]
    return Piece(clean(data), start, start + len(data), size)


def clean(data: bytes) -> str:
    """Bytes as text without what only a terminal understands."""
    text = _ANSI.sub("", data.decode("utf-8", "replace"))
    return text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _line_begin(data: bytes) -> int:
    """Where the first whole line of a range begins; its first whole character where it has no second line."""
    cut = data.find(b"\n") + 1
    return cut if 0 < cut < len(data) else _first_character(data)


def _first_character(data: bytes) -> int:
    return next((at for at, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)


def _half_character(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character that is not complete."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if needed > back else 0
    return 0


@dataclass(frozen=True)
class Logs:
    """The logs of one attempt, or why there are none to show."""

    files: Sequence[LogFile] = ()
    problem: str = ""

    def get(self, name: str) -> LogFile | None:
        """The log of that name."""
        return next((file for file in self.files if file.name == name), None)


def logs_of(job, attempt: int) -> Logs:
    """The logs that the job's engine has of an attempt."""
    if job.type is None:
        return Logs(problem="The app that runs jobs of this type is not installed, so there is no log to show.")
    if job.type.engine is None:
        return Logs(problem="Jobs of this type run outside of Jobdeck and keep no log here.")
    if not job.external_id and attempt == job.attempt:
        return Logs(problem="There is no log yet: the job has not been started.")
    handle = handle_of(job, attempt=attempt, external_id=None if attempt == job.attempt else "")
    try:
        return Logs(job.type.engine.logs(handle))
    except (EngineError, OSError) as error:
        return Logs(problem=f"The log cannot be read at the moment: {error}")
