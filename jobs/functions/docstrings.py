"""What a docstring says, as pages show it: its text in paragraphs, and what it says of each parameter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_SECTION = re.compile(r"(Args|Arguments|Parameters|Params):\s*")
_OTHER_SECTION = re.compile(r"[A-Z]\w+( \w+)?:\s*")
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_CODE = re.compile(r"`+([^`\n]+)`+")
_FIELD = re.compile(r":param\s+(?:[^:]*\s)?(\w+):\s*(.*)")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `laid_out` where its lines are to stay as they are (a list, an example)."""

    text: str
    laid_out: bool = False


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring.

    Attributes:
        paragraphs: all but what it says of parameters.
        parameters: what it says of each, by name: from a section 'Args:' with an entry for each, indented, or from lines
            ':param x: …'.
    """

    paragraphs: Sequence[Paragraph]
    parameters: dict[str, str]


def marked(text: str) -> SafeString:
    """A text with what stands in backquotes as code, safe to stand in a page."""
    parts = _CODE.split(text)
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


def read(text: str) -> Docstring:
    """Take a docstring, its indentation removed (`inspect.getdoc`), to its parts."""
    parameters: dict[str, str] = {}
    kept: list[str] = []
    lines = text.splitlines()
    while lines:
        line = lines.pop(0)
        if _SECTION.fullmatch(line):
            _take_section(lines, parameters)
        elif found := _FIELD.match(line):
            parameters[found[1]] = " ".join([found[2], *_take_indented(lines)]).strip()
        else:
            kept.append(line)
    return Docstring(_paragraphs(kept), parameters)


def _take_section(lines: list[str], parameters: dict[str, str]) -> None:
    """Take the entries of a section from the beginning of the lines."""
    depth, name = 0, ""
    while lines and (not lines[0].strip() or lines[0].startswith((" ", "\t"))):
        line = lines.pop(0)
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        depth = depth or indent
        found = _ENTRY.fullmatch(line.strip())
        if indent <= depth and found:
            name = found[1]
            parameters[name] = found[2].strip()
        elif name:
            parameters[name] = f"{parameters[name]} {line.strip()}".strip()


def _take_indented(lines: list[str]) -> list[str]:
    taken = []
    while lines and lines[0].strip() and lines[0].startswith((" ", "\t")):
        taken.append(lines.pop(0).strip())
    return taken


def _paragraphs(lines: list[str]) -> list[Paragraph]:
    blocks = re.split(r"\n\s*\n", "\n".join(lines))
    return [_paragraph(block.strip("\n")) for block in blocks if block.strip()]


def _paragraph(block: str) -> Paragraph:
    lines = block.splitlines()
    laid_out = any(line.startswith((" ", "\t", "- ", "* ")) or _OTHER_SECTION.fullmatch(line) for line in lines)
    return Paragraph(block if laid_out else " ".join(lines), laid_out)
