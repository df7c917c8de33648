"""The log of an attempt: what its function prints and logs."""

import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from jobs.conf import conf
from jobs.engine import parse_tag

LOG = "log"

_log: ContextVar = ContextVar("function_log", default=None)


def attempt_folder(tag: str) -> Path | None:
    """Where an attempt's log is; None for a tag of another installation."""
    parsed = parse_tag(tag)
    return None if parsed is None else conf.data_dir / "functions" / parsed[0].hex / str(parsed[1])


def remove_attempt_folder(tag: str) -> None:
    """Leave nothing of an attempt's log."""
    folder = attempt_folder(tag)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


@contextlib.contextmanager
def logging_to(tag: str, *, whole_process: bool) -> Iterator[logging.Logger]:
    """Have what is printed go to the attempt's log until the block ends.

    Args:
        whole_process: also what other programs print that the function starts; only where the process runs nothing else.

    Yields:
        A logger that writes there.
    """
    folder = attempt_folder(tag)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8", errors="replace", buffering=1) as file:
        logger = logging.Logger(tag)
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        before = _log.set(file)
        try:
            with _descriptors_to(file.fileno()) if whole_process else contextlib.nullcontext():
                yield logger
        finally:
            _log.reset(before)


@contextlib.contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    """Have standard output and error of this process, and of what it starts, go to another file."""
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(target, number)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, original in zip((1, 2), kept, strict=True):
            os.dup2(original, number)
            os.close(original)


class JobStream:
    """Standard output or error of a worker whose threads run functions: each one's prints go to its own log."""

    def __init__(self, original):
        self._original = original

    def write(self, text: str) -> int:
        return (_log.get() or self._original).write(text)

    def flush(self) -> None:
        (_log.get() or self._original).flush()

    def __getattr__(self, name):
        return getattr(self._original, name)
