"""What a page of the documentation tells its reader to type, to write into files, and what it says comes of it."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

DOCS = settings.BASE_DIR / "docs"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w~./-]+\.\w+)`:\s*\Z")


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes:
        language: 'python', 'sh', or 'text' for what is printed.
        text: what is in it.
        file: what it is to be written into; empty for what is typed.
    """

    language: str
    text: str
    file: str = ""


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, by its path below docs/; a file's block comes right after "`its name`:"."""
    text = (DOCS / page).read_text()
    return [
        Block(found[1], found[2], named[1] if (named := _FILE.search(text[: found.start()])) else "")
        for found in _FENCE.finditer(text)
    ]


def typed(page: str, language: str) -> str:
    """All that is to be typed in a language, in order, as one text."""
    return "\n".join(block.text for block in blocks_of(page) if block.language == language and not block.file)


def write_files(page: str, folder: Path, home: Path) -> None:
    """Write the files of a page, relative ones into the folder."""
    for block in blocks_of(page):
        if block.file:
            path = folder / block.file.replace("~", str(home))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
