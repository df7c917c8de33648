"""Folders as tar streams: what travels to the other side, and what is taken of what comes back."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

COPY = 1 << 20


class Stopped(Exception):
    """The stream ended before the folder did."""


class Writer:
    """A file object for `tarfile` that hands on what is written.

    Args:
        send: takes bytes; raises what it likes.
    """

    def __init__(self, send: Callable[[bytes], None]):
        self._send = send

    def write(self, data: bytes) -> int:
        self._send(bytes(data))
        return len(data)


def pack(folder: Path, send: Callable[[bytes], None]) -> None:
    """Send all that lies in a folder; links are followed, because whoever laid it out made them."""
    with tarfile.open(fileobj=Writer(send), mode="w|", dereference=True, format=tarfile.GNU_FORMAT) as tar:
        for where, folders, names in os.walk(folder):
            folders.sort()
            relative = Path(where).relative_to(folder)
            for name in (*folders, *sorted(names)):
                tar.add(Path(where, name), str(relative / name), recursive=False)


class Reader:
    """A file object for `tarfile`, over pieces as they come.

    Args:
        receive: the next piece; empty at the end.
    """

    def __init__(self, receive: Callable[[], bytes]):
        self._receive = receive
        self._buffer = b""

    def read(self, size: int) -> bytes:
        pieces, length = [self._buffer], len(self._buffer)
        while length < size:
            piece = self._receive()
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        data = b"".join(pieces)
        self._buffer = data[size:]
        return data[:size]


def unpack(receive: Callable[[], bytes], folder: Path) -> None:
    """Take regular files and folders of a stream into a folder; links, devices, and names that lead out, are left out.

    Raises:
        Stopped: the stream is none, or was cut off.
    """
    reader = Reader(receive)
    try:
        with tarfile.open(fileobj=reader, mode="r|") as tar:
            for member in tar:
                place = _place(folder, member.name)
                if place is None:
                    continue
                if member.isdir():
                    place.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif member.isreg():
                    _take(tar, member, place)
        while reader.read(COPY):  # what stands behind the end of the archive
            pass
    except tarfile.TarError as error:
        raise Stopped(str(error)) from error


def _place(folder: Path, name: str) -> Path | None:
    pure = PurePosixPath(name)
    parts = [part for part in pure.parts if part != "."]
    if pure.is_absolute() or ".." in parts or not parts:
        return None
    return folder.joinpath(*parts)


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600 | (member.mode & 0o100))
    with os.fdopen(descriptor, "wb") as write:
        shutil.copyfileobj(tar.extractfile(member), write, COPY)
    os.utime(place, (member.mtime, member.mtime))
