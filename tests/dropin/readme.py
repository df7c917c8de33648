"""What the README tells somebody to do who wants Jobdeck in a site of their own, read from its lines."""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.md"
HEADING = "## In your own site"


@dataclass(frozen=True)
class Instructions:
    """The section's code.

    Attributes:
        before: commands that come first, one a line.
        files: what to put at the end of which file.
        after: commands that come then; those with `&` go on.
    """

    before: list[str]
    files: dict[str, str]
    after: list[str]


def instructions() -> Instructions:
    """The section of the README, as it stands there."""
    section = README.read_text().partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)
    shells = [text.splitlines() for kind, text in blocks if kind == "sh"]
    pieces = [text for kind, text in blocks if kind == "python"]
    files = {re.match(r"# (\S+), at its end\n", text)[1]: text for text in pieces}
    return Instructions(shells[0], files, shells[1])
