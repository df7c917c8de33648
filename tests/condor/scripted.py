"""A schedd that plays recorded answers, in place of the way to a real one: for tests that move the clock."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from jobs.condor.answers import COMPLETED, HELD, IDLE, REMOVED, RUNNING, SPOOLING
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.engine import EngineUnavailable
from jobs.manager import JobManager
from jobs.monitor.process import watch
from jobs.status import Status
from jobs.testing import FakeClock, fake_clock, settle
from jobs.types import get_type
from jobs.workspaces import workspace_path

RECORDED = Path(__file__).parent / "recorded"
QUIET = ("suspended",)
"""What a process may come to without HTCondor calling it a change of status."""

_WORDS = re.compile(r'"(?:\\.|[^"\\])*"|&&|\|\||=!=|=\?=|[=!><]=|[><]|[()]|[A-Za-z]\w*|\d+')
_PYTHON = {"&&": "and", "||": "or", "=!=": "!=", "=?=": "=="}


class Killed(BaseException):
    """The process that asked died, as by SIGKILL: nothing of it goes on, and its claims stay as they are."""


class ScriptedSchedd:
    """Does what `jobs.condor.bindings.transport.Transport` does, as the test says.

    Args:
        clock: a `jobs.testing.FakeClock`.

    Attributes:
        away: with a text, no call is answered, and nothing is done.
        cut_off: so many of the next answers do not arrive, though what was asked is done.
        kill_at: when so many answers more have been given, who asked for the last of them dies; 0 for nobody.
        breaks_at: where the next submission breaks off: 'before' it, 'spooling' (its files are on their way), 'after' it;
            or 'unnoted': all is answered, but the schedd dies before it has noted that the files came.
        breaks_by: what breaks it off: the pool's failure, or `Killed`.
        ahead: seconds that the schedd's clock is ahead of ours.
        calls: how often each operation was asked for.
        constraints: of all queries, the last one last.
        starts: by tag, how many clusters came so far that their processes may start.
        comes_late: when the next removal is asked for, the input of what is still spooling comes just before it.
        ends: by tag, the answer with which its process ended.
    """

    spools = True

    def __init__(self, clock):
        self.clock = clock
        self.queue: dict[tuple[int, int], dict] = {}
        self.past: list[dict] = []
        self.away = ""
        self.cut_off = 0
        self.kill_at = 0
        self.breaks_at = ""
        self.breaks_by: type[BaseException] = EngineUnavailable
        self.ahead = 0.0
        self.calls: Counter = Counter()
        self.constraints: list[str] = []
        self.starts: Counter = Counter()
        self.comes_late = False
        self.ends: dict[str, str] = {}
        self._folders: dict[int, Path] = {}
        self._last = 100

    # --- what happens in the pool

    def now(self) -> int:
        """The schedd's clock, in seconds since 1970."""
        return int(self.clock().timestamp() + self.ahead)

    def say(self, job, answer: str, process: int = 0) -> None:
        """A process of the job's cluster is from now on as in a recorded answer ('running', 'exit_7', …)."""
        self.move((int(job.external_id), process), answer)

    def has(self, job) -> bool:
        """Whether the queue has anything of the job's current attempt."""
        return any(ad["JobdeckTag"] == job.tag for ad in self.queue.values())

    def leave(self, job, *, history: bool = True) -> None:
        """The job's processes leave the queue behind our back."""
        self.leave_queue([key for key in self.queue if key[0] == int(job.external_id)], history=history)

    def submit_again(self, cluster: int) -> None:
        """What is in the queue is there once more as this cluster, as if two workers had submitted it."""
        for (first, process), ad in list(self.queue.items()):
            self.queue[cluster, process] = {**ad, "ClusterId": cluster}
            self._folders[cluster] = self._folders[first]

    def set_up_anew(self) -> None:
        """A schedd of the same name and with nothing of the old one's."""
        self.queue, self.past = {}, []

    def move(self, key: tuple[int, int], answer: str, **facts) -> None:
        """The process (cluster and number) is from now on as in a recorded answer, but for these facts."""
        before = self.queue[key]
        [recorded] = json.loads((RECORDED / f"{answer}.json").read_text())
        fixed = ("JobdeckTag", "JobdeckInstance", "ClusterId", "ProcId", "TotalSubmitProcs", "QDate")
        kept = (*fixed, "SUBMIT_Iwd", "StageInFinish", "NumJobStarts")
        ad = recorded | {name: before[name] for name in kept if name in before} | facts
        ad.pop("ServerTime", None)
        quiet = answer in QUIET or (before.get("quiet") and ad["JobStatus"] == RUNNING)
        ad["EnteredCurrentStatus"] = before["EnteredCurrentStatus"] if quiet else self.now()
        ad["LastJobStatus"] = before["JobStatus"]
        if ad["JobStatus"] == RUNNING or (ad["JobStatus"] == COMPLETED and before["JobStatus"] == IDLE):
            ad["NumJobStarts"] = before.get("NumJobStarts", 0) + 1
        for name in {"JobStartDate", "CompletionDate"} & ad.keys():
            ad[name] = self.now() if name not in before else before[name]
        self.queue[key] = ad | ({"quiet": True} if answer in QUIET else {})
        if ad["JobStatus"] in (COMPLETED, REMOVED) and before.get("HoldReasonCode") != SPOOLING:
            self.ends.setdefault(ad["JobdeckTag"], answer)

    def leave_queue(self, keys: Sequence[tuple[int, int]], *, history: bool = True) -> None:
        """These processes are out of the queue, and in the history or nowhere."""
        for key in keys:
            ad = self.queue.pop(key)
            if history:
                self.past.insert(0, ad)

    # --- what the engine asks

    def query(self, constraint: str, projection: Sequence[str]) -> list[dict]:
        self._asked("query")
        self.constraints.append(constraint)
        ads = [{**ad, "ServerTime": self.now()} for ad in self.queue.values()]
        return self._answered(_found(ads, constraint, projection))

    def history(self, constraint: str, projection: Sequence[str], match: int, *, since: str = "") -> list[dict]:
        self._asked("history")
        read = self.past
        if since:
            read = read[: next((number for number, ad in enumerate(read) if _found([ad], since)), len(read))]
        found = _found(read, constraint, projection)
        return self._answered(found[:match] if match >= 0 else found)

    def submit(self, text: str, count: int, sandbox, *, deadline: float = 0.0) -> dict[str, int]:
        self._asked("submit")
        breaks_at, self.breaks_at = self.breaks_at, ""
        if breaks_at == "before":
            raise self.breaks_by("the connection was refused")
        self._last += 1
        said = dict(re.findall(r"^(?:My\.)?(\w+) = (.*)$", text, re.MULTILINE))
        tag = json.loads(said["JobdeckTag"])
        self._folders[self._last] = Path(said["initialdir"])
        fixed = {
            "JobdeckTag": tag,
            "JobdeckInstance": json.loads(said["JobdeckInstance"]),
            "ClusterId": self._last,
            "TotalSubmitProcs": count,
            "QDate": self.now(),
            **({"SUBMIT_Iwd": said["initialdir"]} if sandbox else {}),
        }
        first = {"JobStatus": HELD, "HoldReasonCode": SPOOLING, "EnteredCurrentStatus": self.now()}
        for process in range(count):
            self.queue[self._last, process] = {**fixed, **first, "ProcId": process}
        if breaks_at not in ("spooling", "unnoted"):
            self._has_come(self._last)
        if breaks_at not in ("", "unnoted"):
            raise self.breaks_by("the connection broke")
        return self._answered({"cluster": self._last, "procs": count})

    def _has_come(self, cluster: int) -> None:
        """All input of the cluster has come: it may start."""
        keys = [key for key in self.queue if key[0] == cluster]
        self.starts[self.queue[keys[0]]["JobdeckTag"]] += 1
        for key in keys:
            self.move(key, "idle", StageInFinish=self.now())

    def retrieve(self, constraint: str, sandbox, *, deadline: float = 0.0) -> None:
        self._asked("retrieve")
        for ad in _found(self.queue.values(), constraint):
            (self._folders[ad["ClusterId"]] / "out.txt").write_text(f"of cluster {ad['ClusterId']}")
        self._answered(None)

    def act(self, action: str, constraint: str, reason: str = "") -> dict[str, int]:
        self._asked("act")
        if self.comes_late:
            self.comes_late = False
            for cluster in {key[0] for key, ad in self.queue.items() if ad.get("HoldReasonCode") == SPOOLING}:
                self._has_come(cluster)
        found = [(ad["ClusterId"], ad["ProcId"]) for ad in _found(self.queue.values(), constraint)]
        for key in found:
            status = self.queue[key]["JobStatus"]
            if action == "remove" and status == COMPLETED:
                over = {"JobStatus": REMOVED, "LastJobStatus": COMPLETED, "EnteredCurrentStatus": self.now()}
                self.queue[key] |= over | {"RemoveReason": reason}
            elif action == "remove" and status != REMOVED:
                self.move(key, "removed", RemoveReason=reason)
            elif action == "remove_x" and status == REMOVED:
                self.leave_queue([key])
            elif action == "hold" and status in (IDLE, RUNNING):
                self.move(key, "held_by_user", HoldReason=reason)
            elif action == "release" and status == HELD:
                self.move(key, "released")
        return self._answered({"success": len(found)})

    def forget(self, tags: Sequence[str], *, deadline: float = 0.0) -> set[str]:
        return set()

    def test(self) -> list:
        self._asked("test")
        return []

    def close(self) -> None:
        """There is nothing to close."""

    def _asked(self, operation: str) -> None:
        self.calls[operation] += 1
        if self.away:
            raise EngineUnavailable(self.away)

    def _answered(self, answer):
        if self.kill_at:
            self.kill_at -= 1
            if not self.kill_at:
                raise Killed
        if self.cut_off:
            self.cut_off -= 1
            raise EngineUnavailable("the answer was cut off")
        return answer


class ScriptedSite:
    """A site whose only pool is a `ScriptedSchedd`: this process plays worker and monitor, the test moves the clock."""

    def __init__(self, user, clock: FakeClock, schedd: ScriptedSchedd):
        self.user = user
        self.clock = clock
        self.schedd = schedd
        self.engine = get_type("CONDOR").engine
        self.scheduler = CondorScheduler.objects.create(
            name="recorded", address="nowhere.example", token="t", least_interval=1.0, full_interval=60.0
        )
        self.restart()

    def job(self, **fields) -> CondorJob:
        """A pending job."""
        commands = {"executable": "/bin/true"}
        return JobManager("app").create_job("recorded {id}", self.user, "CONDOR", attributes=commands, **fields)

    def submitted(self, **fields) -> CondorJob:
        """A job that the pool has."""
        job = self.job(**fields)
        job.execute()
        self.settle()
        return self.read(job)

    def read(self, job: CondorJob) -> CondorJob:
        """The job as it is now."""
        job.read_row()
        return job

    def is_complete(self, job: CondorJob) -> bool:
        """Whether it ended well, once, with its output here and nothing in the queue."""
        self.read(job)
        return (
            (job.status_code, job.exit_code, job.leftover) == (Status.COMPLETE, 0, False)
            and (workspace_path(job) / "out.txt").read_text() == f"of cluster {job.external_id}"
            and not self.schedd.has(job)
            and self.schedd.starts[job.tag] == 1
        )

    def settle(self) -> None:
        """Have worker and monitor do all that is to be done now."""
        settle()

    def watch(self, seconds: float, step: float = 2.0) -> None:
        """Let time pass, in which the monitor asks when it is time to, and workers do nothing."""
        for _ in range(round(seconds / step)):
            self.clock.move(step)
            watch(CondorScheduler.objects.get(pk=self.scheduler.pk).scheduler_ptr, self.engine)

    def rest(self, seconds: float = 300.0, step: float = 20.0) -> None:
        """Let time pass in which worker and monitor do all that is to be done."""
        for _ in range(round(seconds / step)):
            self.clock.move(step)
            self.settle()

    def restart(self) -> None:
        """The monitor is another process now, which has seen no answer yet."""
        self.engine._watches.clear()


@contextmanager
def scripted_site(user) -> Iterator[ScriptedSite]:
    """A `ScriptedSite` with its clock."""
    with fake_clock() as clock:
        schedd = ScriptedSchedd(clock)
        nothing_to_wait_for = patch("jobs.condor.engine.SPOOLED", 0)
        with patch("jobs.condor.reach.transport_for", lambda *_: schedd), nothing_to_wait_for:
            yield ScriptedSite(user, clock, schedd)


def _found(ads, constraint: str, projection: Sequence[str] = ()) -> list[dict]:
    """The ads for which a ClassAd expression is true, of the few kinds that the engine writes."""
    words = [_PYTHON.get(word, word) for word in _WORDS.findall(constraint)]
    code = compile(" ".join(words), constraint, "eval")
    return [
        {name: ad[name] for name in projection or ad if name in ad}
        for ad in ads
        if eval(code, {}, _Undefined(ad)) is True
    ]


class _Undefined(dict):
    """An ad whose other attributes are undefined: equal to nothing, and neither more nor less than anything."""

    def __missing__(self, name: str) -> float:
        return math.nan
