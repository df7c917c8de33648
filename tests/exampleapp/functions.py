"""Functions for the tests: each leaves traces in the folder `outside`, by which a test sees what was really done."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import psutil

from jobs.engine import make_tag
from jobs.functions import current_job, job_function


def note(outside: str, what: str, line: str = "") -> None:
    """Leave a line in the attempt's file of that kind."""
    job = current_job()
    tag = make_tag(UUID(job.uuid), job.attempt)
    with Path(outside, f"{tag}.{what}").open("a") as file:
        file.write(f"{line}\n")


@job_function(queue="tests")
def succeed(outside: str) -> str:
    """End well."""
    note(outside, "starts")
    return "well"


@job_function(queue="tests")
def fail(outside: str, code: int) -> None:
    """Fail."""
    note(outside, "starts")
    raise RuntimeError(f"failed with {code}")


@job_function(queue="tests")
def last(outside: str, text: str = "") -> None:
    """Work until it is ended, with a program that it started."""
    below = subprocess.Popen(["sleep", "600"])
    note(outside, "pids", f"{os.getpid()} {below.pid}")
    note(outside, "starts")
    sys.stdout.write(text)
    sys.stdout.flush()
    while True:
        note(outside, "beats")
        time.sleep(0.05)


@job_function(queue="tests")
def ask(outside: str) -> str:
    """Work until it is asked to stop."""
    note(outside, "starts")
    while not current_job().should_stop:
        note(outside, "beats")
        time.sleep(0.05)
    return "asked"


@job_function(queue="tests", idempotent=True)
def repeatable(outside: str, seconds: float) -> str:
    """Work for a while; it may be done again."""
    _work(outside, seconds)
    return "done"


@job_function(queue="tests")
def once(outside: str, seconds: float) -> str:
    """Work for a while; it must not be done again by itself."""
    _work(outside, seconds)
    return "done"


def _work(outside: str, seconds: float) -> None:
    """Work for a while, and tell of another process that works on the same attempt at the same time."""
    job = current_job()
    tag = make_tag(UUID(job.uuid), job.attempt)
    starts, ends = Path(outside, f"{tag}.starts"), Path(outside, f"{tag}.ends")
    begun = set(starts.read_text().split()) if starts.exists() else set()
    ended = set(ends.read_text().split()) if ends.exists() else set()
    for pid in begun - ended - {str(os.getpid())}:
        if psutil.pid_exists(int(pid)) and psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE:
            note(outside, "overlaps", pid)
    note(outside, "starts", str(os.getpid()))
    time.sleep(seconds)
    note(outside, "ends", str(os.getpid()))


@job_function(queue="tests", version=os.environ.get("JOBDECK_TEST_VERSION", ""))
def versioned(outside: str) -> str:
    """A function of which workers may have another version."""
    note(outside, "starts")
    return "well"


@job_function(queue="tests", retries=2, backoff=0.1)
def third_time(outside: str) -> int:
    """Fail two times."""
    note(outside, "starts")
    tag = make_tag(UUID(current_job().uuid), current_job().attempt)
    starts = Path(outside, f"{tag}.starts").read_text().count("\n")
    if starts < 3:
        raise RuntimeError(f"try {starts}")
    return starts


@dataclass
class Point:
    """Where it is, in metres."""

    x: float
    y: float = 0.0


@job_function(queue="tests")
def typed(
    whole: int,
    number: float,
    flag: bool,
    text: str,
    numbers: list[float],
    kind: Literal["fast", "exact"],
    point: Point,
    more: dict | None = None,
) -> dict:
    """Give back what it was given.

    A parameter of every kind.
    """
    return {
        "whole": whole,
        "number": number,
        "flag": flag,
        "text": text,
        "numbers": numbers,
        "kind": kind,
        "x": point.x,
        "more": more,
    }


@job_function(queue="tests")
def returning(what: str) -> object:
    """Return something that JSON cannot hold, or that is long."""
    return {
        "a set": {"r": [1, {2}]},
        "not a number": {"t": [0.0, float("nan")]},
        "long": "x" * 200_000,
        "bad key": {"a": {(1, 2): 3}},
    }[what]


@job_function(queue="tests", time_limit=1)
def slow(outside: str) -> None:
    """Work longer than it may."""
    note(outside, "starts")
    time.sleep(60)


@job_function(queue="tests")
def talking(percent: float) -> str:
    """Say how far it is, print, log, leave a file."""
    job = current_job()
    job.progress(percent, "half way")
    print("printed")
    job.log.info("logged")
    subprocess.run(["echo", "by another program"], check=True)
    (job.workspace / "out.txt").write_text("a file")
    job.message("nearly done")
    return "said"
