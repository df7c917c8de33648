"""DAGMan's node status file: how every node ended (HTCondor manual, 'DAGMan: Node Status File'). Pure text."""

import re
from dataclasses import dataclass

from jobs.engine import Part
from jobs.status import Status

NOT_READY, READY, PRERUN, SUBMITTED, POSTRUN, DONE, ERROR, FUTILE = range(8)
"""Values of NodeStatus."""

_AD = re.compile(r"^\[$(.*?)^\]$", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r'^\s*(\w+) = (?:"((?:[^"\\]|\\.)*)"|(-?\d+));', re.MULTILINE)
_ENDED = {DONE: Status.COMPLETE, ERROR: Status.ERROR}
_EXIT_CODE = re.compile(r"Job proc \([\d.]+\) failed with status (\d+)")
"""What DAGMan says of a node whose job failed; the queue may lose the job before the schedd has noted its end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a status file says.

    Attributes:
        parts: the nodes as DAGMan left them.
        whole: DAGMan came to its end; else it was killed while it worked, and others may have ended since.
    """

    parts: list[Part]
    whole: bool


def read_status(text: str) -> Ended:
    """The nodes of a workflow that is over, by its status file; those that did not run are Aborted, and say why."""
    parts, whole = [], False
    for ad in _AD.findall(text):
        values = {
            name: _unescaped(word) if number == "" else int(number) for name, word, number in _ATTRIBUTE.findall(ad)
        }
        if values.get("Type") == "NodeStatus":
            parts.append(_part(values))
        elif values.get("Type") == "StatusEnd":
            whole = values.get("NextUpdate") == 0
    return Ended(parts, whole)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _part(values: dict) -> Part:
    status = values.get("NodeStatus")
    details = str(values.get("StatusDetails", ""))
    retries = values.get("RetryCount", 0)
    if status == ERROR and details.startswith("Was STATUS_"):
        # What DAGMan says of nodes that were under way when it was removed.
        return Part(values["Node"], Status.ABORTED, message="It was ended with the workflow.")
    if status in _ENDED:
        failed = _EXIT_CODE.match(details) if status == ERROR else None
        code = int(failed[1]) if failed is not None else None
        # The queue may lose the last tries too. Of a node without a retry an earlier DAGMan may have had the only try.
        tries = retries + 1 if retries or failed is not None else 0
        return Part(values["Node"], _ENDED[status], code, tries, message=details if status == ERROR else "")
    if status == FUTILE:
        return Part(values["Node"], Status.ABORTED, message="It was not run: a node before it failed.")
    if status in (NOT_READY, READY):
        return Part(values["Node"], Status.ABORTED, message="It was not run: the workflow ended before.")
    return Part(values["Node"], Status.ABORTED, message="It was ended with the workflow.")
