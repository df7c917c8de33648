"""The files of a job's workspace, as its page shows them."""

import csv
import io
import json
import unicodedata
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from typing import BinaryIO

from jobs.errors import InvalidAttribute
from jobs.workspaces import WorkspaceFile, list_files, open_inside, workspace_path

MOST_FILES = 1000
PREVIEW_ROWS = 50
PREVIEW_COLUMNS = 30
PREVIEW_BYTES = 64 * 1024
JSON_BYTES = 512 * 1024
"""A larger JSON file is shown as it is, not laid out."""

IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
"""What an <img> shows: there no script of an SVG runs and nothing is fetched."""


@dataclass(frozen=True)
class Preview:
    """What of a file a page shows.

    Attributes:
        kind: 'image', 'table', 'text' or 'none'.
        text: of the file or laid out; or, for 'none', why there is nothing to see.
        heading: names of the columns of a table; `rows` its first rows, `numeric` the columns that hold numbers.
        cut: only the beginning is shown.
    """

    kind: str
    text: str = ""
    heading: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numeric: list[bool] = field(default_factory=list)
    cut: bool = False


@dataclass(frozen=True)
class Listing:
    """The files of a workspace; `cut` where there are more than are shown, `unnamed` those whose names are no text."""

    files: list[WorkspaceFile]
    cut: bool
    unnamed: int

    def choose(self, name: str) -> WorkspaceFile | None:
        """The file of that name; without one, what a person most likely came for: a picture, else the first table."""
        if name:
            return next((file for file in self.files if file.name == name), None)
        for wanted in (IMAGES, {".csv"}, {".json"}, {".txt"}):
            found = next((file for file in self.files if suffix(file.name) in wanted), None)
            if found is not None:
                return found
        return self.files[0] if self.files else None


def listing(job) -> Listing:
    """The regular files of the job's workspace whose names can stand in a page; links are not shown."""
    files = list_files(workspace_path(job), MOST_FILES + 1)
    shown = [file for file in files[:MOST_FILES] if _can_be_written(file.name)]
    return Listing(shown, len(files) > MOST_FILES, len(files[:MOST_FILES]) - len(shown))


def open_result(job, name: str) -> BinaryIO:
    """Open a file of the job's workspace for reading.

    Raises:
        FileNotFoundError: there is none of that name inside of the workspace.
    """
    try:
        return open_inside(workspace_path(job), name)
    except (InvalidAttribute, OSError) as error:
        raise FileNotFoundError(f"{name}: no such file in the workspace") from error


def suffix(name: str) -> str:
    """The lower-case suffix of a file's name, with its dot."""
    return PurePosixPath(name).suffix.lower()


def preview(job, file: WorkspaceFile) -> Preview:
    """What to show of a file."""
    kind = suffix(file.name)
    if kind in IMAGES:
        return Preview("image")
    try:
        with open_result(job, file.name) as opened:
            data = opened.read(JSON_BYTES + 1 if kind == ".json" else PREVIEW_BYTES + 1)
    except FileNotFoundError:
        return Preview("none", "The file is gone.")
    if not data:
        return Preview("none", "The file is empty.")
    if kind == ".json" and len(data) <= JSON_BYTES:
        return _json(data)
    if b"\0" in data[:8192]:
        return Preview("none", "No preview: this is not text. Download it to open it with a program of its own.")
    if kind in (".csv", ".tsv"):
        return _table(data, "\t" if kind == ".tsv" else ",")
    return _text(data)


def _text(data: bytes) -> Preview:
    return Preview("text", data[:PREVIEW_BYTES].decode("utf-8", "replace"), cut=len(data) > PREVIEW_BYTES)


def _json(data: bytes) -> Preview:
    try:
        return Preview("text", json.dumps(json.loads(data), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return _text(data)


def _table(data: bytes, delimiter: str) -> Preview:
    whole = len(data) <= PREVIEW_BYTES
    # The last line may be cut in the middle.
    usable = data if whole else data[: data.rfind(b"\n") + 1] or data
    lines = io.StringIO(usable.decode("utf-8-sig", "replace"), newline="")
    try:
        found = list(islice(csv.reader(lines, delimiter=delimiter), PREVIEW_ROWS + 2))
    except csv.Error:
        return _text(data)
    heading, rows = (found[0] if found else []), [row for row in found[1:] if row]
    cut = not whole or len(rows) > PREVIEW_ROWS or len(heading) > PREVIEW_COLUMNS
    rows = [row[:PREVIEW_COLUMNS] for row in rows[:PREVIEW_ROWS]]
    columns = [[row[at] for row in rows if at < len(row)] for at in range(min(len(heading), PREVIEW_COLUMNS))]
    numeric = [bool(column) and all(map(_is_number, column)) for column in columns]
    return Preview("table", heading=heading[:PREVIEW_COLUMNS], rows=rows, numeric=numeric, cut=cut)


def _is_number(text: str) -> bool:
    try:
        float(text or "0")
    except ValueError:
        return False
    return True


def _can_be_written(name: str) -> bool:
    """Whether a name is one line of text; on Linux it may be any bytes, which Python shows as lone surrogates."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
