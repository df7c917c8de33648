"""All files of a workspace as one ZIP that is made while it is sent: it takes no disk, and memory for one chunk only."""

import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from jobs.errors import InvalidAttribute
from jobs.workspaces import WorkspaceFile, open_inside

MOST_ARCHIVED = 10_000
"""Files in one archive; its table of contents is kept in memory while it is made."""
CHUNK = 256 * 1024
NOT_INCLUDED = "NOT INCLUDED.txt"

PACKED = frozenset(
    [
        *(".7z", ".bz2", ".gz", ".tgz", ".whl", ".xz", ".zip", ".zst"),
        *(".docx", ".npz", ".odt", ".pdf", ".xlsx"),
        *(".avif", ".gif", ".jpeg", ".jpg", ".mp3", ".mp4", ".png", ".webm", ".webp"),
    ]
)
"""What is packed in itself is stored as it is: trying to make it smaller would only cost time."""


class _Sink:
    """Takes what `zipfile` writes until it is sent; it cannot be sought in, so sizes follow their files."""

    def __init__(self):
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def stream_zip(folder: Path, files: list[WorkspaceFile], top: str) -> Iterator[bytes]:
    """The bytes of a ZIP of `files`.

    Each file is opened inside of the workspace when its turn comes, and read to the size that it has then. One that is gone
    or has become a link is left out, and named in a file of the archive.

    Args:
        folder: the workspace.
        files: as `list_files` gave them.
        top: name of the one folder that everything lies in.
    """
    sink = _Sink()
    missing: list[str] = []
    names: set[str] = set()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as archive:
        for file in files:
            name = _unique(_portable(file.name), names)
            try:
                opened = open_inside(folder, file.name)
            except (InvalidAttribute, OSError):
                missing.append(name)
                continue
            with opened:
                yield from _pack(archive, sink, opened, _entry(f"{top}/{name}", file))
        if missing:
            text = "These files were there when the archive was begun, and not when their turn came:\n"
            archive.writestr(f"{top}/{_unique(NOT_INCLUDED, names)}", text + "\n".join(missing) + "\n")
    yield sink.take()


def _pack(archive: zipfile.ZipFile, sink: _Sink, opened, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    left = opened.seek(0, 2)
    opened.seek(0)
    with archive.open(entry, "w", force_zip64=left > 2**30) as packed:
        while left > 0 and (data := opened.read(min(CHUNK, left))):
            packed.write(data)
            left -= len(data)
            if ready := sink.take():
                yield ready


def _entry(name: str, file: WorkspaceFile) -> zipfile.ZipInfo:
    # ZIP knows no time before 1980.
    entry = zipfile.ZipInfo(name, max(file.modified.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    packed = PurePosixPath(name).suffix.lower() in PACKED
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _portable(name: str) -> str:
    """A name that every system can unpack, and that leads nowhere else on any."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join("_" if letter in '\\:*?"<>|' or unicodedata.category(letter) == "Cc" else letter for letter in text)


def _unique(name: str, taken: set[str]) -> str:
    path, number, found = PurePosixPath(name), 1, name
    while found in taken:
        number += 1
        found = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
    taken.add(found)
    return found
