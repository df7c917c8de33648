"""The API of a farm run, call by call: tasks taken, reported and given back, files put and got."""

import json
import os
import secrets
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from .calls import TIMEOUT, Calls
from .errors import Refused

OVER = ("stopped", "ended")
"""States in which a run gives no tasks any more."""
_RESERVE = 2.0
"""Seconds that a call may take on its way, beside those that it is to wait."""


@dataclass(frozen=True, slots=True, eq=False)
class HandedOut:
    """A task as it was handed out.

    Attributes:
        tries: times that it was handed out, with this one.
        percent: as an earlier try has left it.
        token: names it together with its number; nobody else knows it.
        input: a JSON value, None where it has none.
        input_files: names of its files.
    """

    number: int
    token: str
    tries: int = 1
    percent: float = 0.0
    input: Any = None
    input_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkout:
    """Tasks, and how the run is.

    Attributes:
        state: open, paused, stopped, ended, or new where it was not started yet.
        lease_seconds: after which a task is lost of which nothing is said; None for never.
        retry_after: seconds until it makes sense to ask again.
    """

    tasks: tuple[HandedOut, ...]
    state: str
    lease_seconds: float | None
    retry_after: float

    @property
    def is_over(self) -> bool:
        """The run gives no tasks any more."""
        return not self.tasks and self.state in OVER


@dataclass(frozen=True, slots=True)
class Reported:
    """The numbers of the tasks of which a report was taken, and of those that are not the worker's any more."""

    taken: frozenset[int]
    lost: frozenset[int]
    state: str


@dataclass(slots=True)
class _Doubt:
    """A checkout that was repeated, and until when an earlier try of it may still be given tasks."""

    token: str
    until: float


class Farm:
    """A farm run at its site. Calls wait until the site answers, however long it is away; all of them may be repeated.

    Args:
        url: of the run's API, `https://site/api/jobs/<uuid>/farm/`.
        token: a personal token with the scope write; or else `user` and `password`.

    Raises:
        ValueError: the address is none, or there is no login.
    """

    def __init__(self, url: str, token: str | None = None, *, user: str | None = None, password: str | None = None):
        self.url = url if url.endswith("/") else f"{url}/"
        self._calls = Calls(self.url, token, user=user, password=password)
        self._worker = {"uuid": uuid.uuid4().hex, "hostname": socket.gethostname(), "pid": os.getpid()}
        self._doubts: list[_Doubt] = []

    def give_up(self) -> None:
        """Repeat no call any more."""
        self._calls.give_up()

    def close(self) -> None:
        """Close the connection of the calling thread."""
        self._calls.hang_up()

    def info(self) -> dict:
        """The run's size, state and counts."""
        return self._calls.call("GET", "")

    # --- tasks

    def checkout(self, count: int = 1, wait: float = 0.0, *, wanted: Callable[[], bool] = lambda: True) -> Checkout:
        """Take up to so many tasks; from one thread only.

        A call whose answer was lost is repeated as such, so that no task is given to nobody; for that, a later call may
        bring tasks once more that are known already.

        Args:
            count: 1 to 1,000.
            wait: seconds for which the site may wait for a task, up to 30.
            wanted: asked before each try.

        Raises:
            Refused: the site does not let this worker take tasks.
            NotAnswered: it was given up.
        """
        found = self._look_after_doubts(count)
        if found is not None:
            return found
        token, sent = secrets.token_hex(16), []

        def body(arrived: bool) -> bytes:
            sent.append(time.monotonic())
            return self._checkout_body(token, count, wait, again=arrived)

        answer = self._calls.call("POST", "checkout/", body, timeout=wait + TIMEOUT, wanted=wanted)
        checkout = _read_checkout(answer, token)
        if len(sent) > 1 and sent[-2] + wait + _RESERVE > time.monotonic():
            # An earlier try may still wait at the site for tasks, for which nobody would ever ask.
            self._doubts.append(_Doubt(token, sent[-2] + wait + _RESERVE))
        return checkout

    def settle_doubts(self) -> tuple[HandedOut, ...]:
        """The tasks that lost answers have given to this worker after all, when it wants no more; waits for them."""
        tasks: tuple[HandedOut, ...] = ()
        while self._doubts:
            time.sleep(max(self._doubts[0].until - time.monotonic(), 0.0))
            found = self._look_after_doubts(1)
            tasks += found.tasks if found else ()
        return tasks

    def _look_after_doubts(self, count: int) -> Checkout | None:
        while self._doubts and self._doubts[0].until <= time.monotonic():
            doubt = self._doubts[0]
            body = self._checkout_body(doubt.token, count, 0.0, again=True)
            found = _read_checkout(self._calls.call("POST", "checkout/", body), doubt.token)
            del self._doubts[0]
            if found.tasks:
                return found
        return None

    def _checkout_body(self, token: str, count: int, wait: float, *, again: bool) -> bytes:
        body = {"worker": self._worker, "count": count, "wait": wait, "token": token}
        return _json(body | ({"again": True} if again else {}))

    def report(self, tasks: Sequence[Mapping[str, Any]]) -> Reported:
        """Say how tasks are.

        Args:
            tasks: for each its number and token; state (computing, done, failed, waiting: given back), percent, result and
                message as far as there is something to say.

        Raises:
            Refused: the site does not take it.
            NotAnswered: it was given up.
        """
        answer = self._calls.call("POST", "report/", _json({"tasks": list(tasks)}))
        try:
            return Reported(frozenset(answer["taken"]), frozenset(answer["lost"]), answer.get("state", ""))
        except (TypeError, LookupError) as error:
            raise _strange(self.url, answer) from error

    # --- files

    def put_file(self, task: HandedOut, name: str, content: bytes | Path) -> None:
        """Put a result file of a task; one of that name is replaced.

        Raises:
            Refused: the site does not take it; with status 409 the task is lost.
            OSError: the file cannot be read.
        """
        headers = {"X-Task-Token": task.token, "Content-Type": "application/octet-stream"}
        self._calls.call("PUT", f"tasks/{task.number}/files/{quote(name, safe='/')}", content, headers=headers)

    def save_input(self, task: HandedOut, name: str, path: Path) -> None:
        """Save an input file of a task; the file is there completely or not at all."""
        headers = {"X-Task-Token": task.token, "Accept": "*/*"}
        self._calls.call("GET", f"tasks/{task.number}/inputs/{quote(name, safe='/')}", headers=headers, into=path)


def inside(folder: Path, name: str) -> Path:
    """Where an input file of that name belongs below a folder; folders in the name are kept.

    Raises:
        Refused: the name leads out of it.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts:
        raise Refused(f"the site names an input file {name!r}, which would not be in the task's folder")
    return folder.joinpath(*parts)


def _json(value) -> bytes:
    return json.dumps(value, allow_nan=False).encode("ascii")


def _read_checkout(answer, token: str) -> Checkout:
    try:
        tasks = tuple(
            HandedOut(
                int(task["number"]),
                str(task.get("token") or token),
                int(task.get("tries") or 1),
                float(task.get("percent") or 0.0),
                task.get("input"),
                tuple(task.get("input_files") or ()),
            )
            for task in answer["tasks"]
        )
        lease = answer.get("lease_seconds")
        return Checkout(tasks, answer["state"], lease and float(lease), float(answer.get("retry_after") or 1.0))
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise _strange("the site", answer) from error


def _strange(url: str, answer) -> Refused:
    return Refused(f"{url} is no farm run's API, or of another version: it answers {str(answer)[:200]}")
