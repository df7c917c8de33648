"""DAGMan's rescue files: what a workflow that failed has done already (HTCondor manual, 'The Rescue DAG')."""

import re
from pathlib import Path

from jobs.condor.workflows.dagfile import DAG_FILE

RESCUE_FILE = "rescue"
_NUMBERED = re.compile(rf"{re.escape(DAG_FILE)}\.{RESCUE_FILE}(\d+)")
_LINE = re.compile(r"(?P<word>DONE|RETRY)\s+(?P<node>\S+)(?P<rest>.*)")


def newest_rescue(folder: Path) -> str | None:
    """The name of the last rescue file that DAGMan wrote there; None where there is none."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    found = [(int(match[1]), path.name) for path in folder.iterdir() if (match := _NUMBERED.fullmatch(path.name))]
    return max(found)[1] if found else None


def of_nodes(text: str, names: set[str]) -> tuple[str, list[str]]:
    """A rescue file that speaks only of nodes that there are, and the nodes that it says are done.

    The workflow may have been changed since: what its author mended is the reason to run it again.

    Args:
        text: as DAGMan wrote it.
        names: of all nodes; those inside of a splice belong to the splice.
    """
    lines, done = ["# What an earlier attempt has done."], []
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found is None or found["node"].split("+")[0] not in names:
            continue
        lines.append(line.strip())
        if found["word"] == "DONE":
            done.append(found["node"])
    return "\n".join([*lines, ""]), done
