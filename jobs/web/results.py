"""The files of a job's workspace, as its page shows them."""

import csv
import io
import json
import unicodedata
from dataclasses import dataclass, field, replace
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
IMAGE_BYTES = 32 * 1024 * 1024
PAGE_BYTES = 8 * 1024 * 1024
"""A larger picture or page is not shown: the browser would choke on it."""

IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
"""What an <img> shows: there no script of an SVG runs and nothing is fetched."""
PAGES = frozenset({".html", ".htm"})
"""What a sandboxed <iframe> shows: no script runs there, nothing is fetched, and it knows nothing of this site."""


@dataclass(frozen=True)
class Preview:
    """What of a file a page shows.

    Attributes:
        kind: 'image', 'page', 'table', 'text' or 'none'.
        text: of the file or laid out; or, for 'none', why there is nothing to see.
        views: what else the file can be shown as: 'page' or 'text'.
        heading: names of the columns of a table; `rows` its first rows, `numeric` the columns that hold numbers.
        cut: only the beginning is shown.
    """

    kind: str
    text: str = ""
    heading: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numeric: list[bool] = field(default_factory=list)
    cut: bool = False
    views: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The files of a workspace.

    Attributes:
        files: those that a person came for; `hidden` the others: dot-files, and what Python keeps for itself.
        cut: there are more than are shown.
        unnamed: how many have names that are no text.
        size: bytes of all that were counted.
    """

    files: list[WorkspaceFile]
    hidden: list[WorkspaceFile]
    cut: bool
    unnamed: int
    size: int

    @property
    def count(self) -> int:
        """How many files there are; at least so many where it is cut."""
        return len(self.files) + len(self.hidden) + self.unnamed

    def choose(self, name: str) -> WorkspaceFile | None:
        """The file of that name; without one, what a person most likely came for: a picture, else the first table."""
        if name:
            return next((file for file in (*self.files, *self.hidden) if file.name == name), None)
        for wanted in (IMAGES, {".csv"}, {".json"}, {".txt"}):
            found = next((file for file in self.files if suffix(file.name) in wanted), None)
            if found is not None:
                return found
        return self.files[0] if self.files else None


def listing(job) -> Listing:
    """The regular files of the job's workspace whose names can stand in a page; links are not shown."""
    files = list_files(workspace_path(job), MOST_FILES + 1)
    counted = files[:MOST_FILES]
    named = [file for file in counted if _can_be_written(file.name)]
    return Listing(
        files=[file for file in named if not is_hidden(file.name)],
        hidden=[file for file in named if is_hidden(file.name)],
        cut=len(files) > MOST_FILES,
        unnamed=len(counted) - len(named),
        size=sum(file.size for file in counted),
    )


def is_hidden(name: str) -> bool:
    """Whether a file is folded away: a dot-file, one in a dot-folder, or compiled Python."""
    return any(part.startswith(".") or part == "__pycache__" for part in PurePosixPath(name).parts)


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


def preview(job, file: WorkspaceFile, view: str = "") -> Preview:
    """What to show of a file.

    Args:
        job: whose file it is.
        file: as the listing has it.
        view: 'text' for the source of a page or of a picture that is text.
    """
    kind = suffix(file.name)
    as_text = view == "text" and (kind in PAGES or kind == ".svg")
    if kind in IMAGES and not as_text:
        if file.size > IMAGE_BYTES:
            return Preview("none", "This picture is too large to be shown here. Download it.")
        return Preview("image", views=("text",) if kind == ".svg" else ())
    if kind in PAGES and not as_text and 0 < file.size <= PAGE_BYTES:
        return Preview("page", views=("text",))
    try:
        with open_result(job, file.name) as opened:
            data = opened.read(JSON_BYTES + 1 if kind == ".json" else PREVIEW_BYTES + 1)
    except OSError:
        return Preview("none", "The file is gone.")
    if not data:
        return Preview("none", "The file is empty.")
    if kind == ".json" and len(data) <= JSON_BYTES:
        return _json(data)
    if b"\0" in data[:8192]:
        return Preview("none", "No preview: this is not text. Download it to open it with a program of its own.")
    if kind in (".csv", ".tsv"):
        return _table(data, "\t" if kind == ".tsv" else ",")
    views = ("page",) if as_text and file.size <= (IMAGE_BYTES if kind == ".svg" else PAGE_BYTES) else ()
    return replace(_text(data), views=views)


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
