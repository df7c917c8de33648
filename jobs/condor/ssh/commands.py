"""HTCondor's commands as they are given on the machine of the schedd, and what they print. Pure text.

Their options are those of HTCondor's manual, 'Command Reference Manual (man pages)', of version 23.
"""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from jobs.condor.bindings.failures import Refused, Unavailable, failure

END = "jobdeck-end"
"""Begins the last line of each answer; one that lacks it was cut off."""

ACTIONS = {
    "hold": ("condor_hold",),
    "release": ("condor_release",),
    "remove": ("condor_rm",),
    "remove_x": ("condor_rm", "-forcex"),
}
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.[0-9a-f]{32}\.[0-9]+")
_END = re.compile(rf"^{END} (\d+)$", re.MULTILINE)
_SUBMITTED = re.compile(r"^(\d+)\.0 - \1\.(\d+)\s*$", re.MULTILINE)
_NOTHING = re.compile(r"There are no jobs in the queue.*|Couldn't find/\S+ all jobs matching constraint .*")
_PASSING = re.compile(
    r"Failed to (connect|fetch|find)|Can't (find|connect)|[Uu]nable to (connect|locate|contact)|not responding|unknown host"
    r"|No space left|Disk quota exceeded|Input/output error|Connection (refused|reset|closed)|timed? ?out"
    r"|SECMAN|command not found|AUTHENTICATE|Too many open files|Cannot allocate memory|SCHEDD.*busy",
)


def script(words: Sequence[str], *, schedd: str = "") -> str:
    """One command for a shell, which says at the end how it went.

    Args:
        words: the command and its arguments.
        schedd: which schedd is asked; empty for the machine's own.
    """
    named = [words[0], *(["-name", schedd] if schedd else []), *words[1:]]
    return f'LC_ALL=C {shlex.join(named)}; printf "\\n{END} %s\\n" "$?"'


def in_shell(text: str) -> str:
    """A script for /bin/sh, whatever the account's own shell is."""
    return f"exec /bin/sh -c {shlex.quote(text)}"


def finished(out: str) -> tuple[str, int]:
    """What a command of `script` printed, and its exit code.

    Raises:
        Unavailable: the answer was cut off.
    """
    found = _END.search(out)
    if found is None:
        raise Unavailable("the answer was cut off")
    return out[: found.start()], int(found[1])


def query_words(constraint: str, projection: Sequence[str]) -> list[str]:
    """All of the queue that a constraint is true of, whoever owns it."""
    attributes = ",".join(dict.fromkeys([*projection, "ClusterId", "ProcId", "ServerTime"]))
    return ["condor_q", "-allusers", "-constraint", constraint, "-json", "-attributes", attributes]


def history_words(constraint: str, projection: Sequence[str], match: int, since: str) -> list[str]:
    """Jobs that left the queue, the latest first."""
    attributes = ",".join(dict.fromkeys([*projection, "ClusterId", "ProcId"]))
    words = ["condor_history", "-constraint", constraint, "-json", "-attributes", attributes]
    return [*words, *(["-match", str(match)] if match >= 0 else []), *(["-since", since] if since else [])]


def submit_words() -> list[str]:
    """A submission of what comes by standard input."""
    return ["condor_submit", "-terse"]


def action_words(action: str, constraint: str, reason: str) -> list[str]:
    """Hold, release or remove; the reason as one line without quotes, as the bindings have it."""
    reason = " ".join(reason.split()).replace('"', "'").replace("\\", "/")
    return [*ACTIONS[action], "-constraint", constraint, "-reason", reason]


def read_ads(text: str) -> list[dict[str, Any]]:
    """The ads that `-json` prints; expressions are left out, as what is not set is.

    Raises:
        Unavailable: it is no list of ads.
    """
    if not text.strip():
        return []
    try:
        ads = json.loads(text)
    except ValueError as error:
        raise Unavailable("the answer is no JSON") from error
    if not isinstance(ads, list) or not all(isinstance(ad, dict) for ad in ads):
        raise Unavailable("the answer is no list of ads")
    return [{name: value for name, value in ad.items() if not _is_expression(value)} for ad in ads]


def _is_expression(value) -> bool:
    return value is None or (isinstance(value, str) and value.startswith("\\/Expr("))


def read_submitted(text: str) -> dict[str, int]:
    """Cluster and number of processes that `condor_submit -terse` prints.

    Raises:
        Unavailable: it does not say.
    """
    found = _SUBMITTED.search(text)
    if found is None:
        raise Unavailable(f"condor_submit did not say which cluster it made: {' '.join(text.split())[:200]}")
    return {"cluster": int(found[1]), "procs": int(found[2]) + 1}


def is_nothing_to_do(text: str) -> bool:
    """Whether an action says that no job of the queue is one of those; it says so too, and why, where it reached no schedd."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(map(_NOTHING.fullmatch, lines))


def is_full(text: str) -> bool:
    """Whether tar says that the disk, or what the account may have of it, is full."""
    return any(words in text for words in ("No space left", "quota exceeded", "Wrote only"))


def why_not(command: str, code: int, text: str) -> Refused | Unavailable:
    """The failure that a command tells of. Whatever may be better the next time is passing.

    Args:
        text: what it printed, both ways.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = " ".join([line for line in lines if not line.startswith("Submitting job(s)")])[:1000]
    about = f"{command}: {said or f'exit code {code}'}"
    if code == 127 or _PASSING.search(said):
        return Unavailable(about)
    if isinstance(failure(said), Refused) or "ERROR:" in said or "rror in constraint" in said:
        return Refused(about)
    return Unavailable(about)


def folder_of(root: str, tag: str) -> str:
    """The folder of an attempt.

    Raises:
        ValueError: it is no tag, and might lead elsewhere.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} is no tag of an attempt")
    return f"{root}/{tag}"


def begin_folder(folder: str) -> str:
    """A script that makes an attempt's folder, empty, and fills it with the tar stream that comes."""
    place = shlex.quote(folder)
    return f"umask 077; {removal([folder])} && mkdir -p -- {place} && LC_ALL=C exec tar -xf - -C {place}"


def removal(folders: Sequence[str]) -> str:
    """A script that removes folders, those that jobs made read-only too; no link is followed."""
    places = shlex.join(folders)
    return f"{{ find -P {places} -type d -exec chmod u+rwx {{}} + 2>/dev/null; rm -rf -- {places}; }}"


def forgetting(folders: Sequence[str]) -> str:
    """A script that removes folders, and names those that there were, one a line."""
    places = shlex.join(folders)
    return (
        f'for one in {places}; do [ -e "$one" ] && printf "%s\\n" "$one"; done; {removal(folders)}; '
        f'printf "\\n{END} %s\\n" "$?"'
    )


def bringing(folder: str) -> str:
    """A script that sends what lies in a folder as a tar stream; what cannot be read is left out."""
    return f"cd -- {shlex.quote(folder)} && LC_ALL=C exec tar -cf - --ignore-failed-read --warning=no-file-ignored ."
