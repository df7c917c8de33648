"""The embedded engine: each command runs on this machine under a small detached runner."""

import logging
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jobs import clock
from jobs.conf import conf
from jobs.engine import Engine, EngineRefused, Handle, LogFile, Outcome, Poll, Report, Supports, Watched, parse_tag
from jobs.heartbeat import alive_hosts
from jobs.identity import HOST
from jobs.local.attempts import AttemptFolder
from jobs.local.doorbell import Doorbell
from jobs.local.slots import Slots
from jobs.local.submission import copy_inputs, environment, write_token
from jobs.models import Scheduler
from jobs.processes.identity import ForeignProcessError, ProcessesLeftError, end_tagged
from jobs.status import Status
from jobs.workspaces import workspace_path

log = logging.getLogger(__name__)

UNKNOWN = "The runner of the command died; what it had started was ended, and its outcome is unknown."
NEVER_STARTED = "The runner of the command died before it had started it; resubmit the job."
FULL_LOOK = 5.0
"""Seconds between two looks at attempts that wait for a slot; in between only those are looked at that run."""


def attempt_folder(tag: str) -> AttemptFolder:
    """The folder of an attempt; see `jobs.local.attempts`.

    Raises:
        EngineRefused: the tag is none of this installation's.
    """
    parsed = parse_tag(tag)
    if parsed is None:
        raise EngineRefused(f"{tag!r} is no job of this installation")
    return AttemptFolder(conf.data_dir / "local" / parsed[0].hex / str(parsed[1]))


class LocalEngine(Engine):
    """Runs commands as processes; the attempt's folder, not this object, knows how they are."""

    name = "local"
    supports = Supports(pause=True, live_logs=True, timeout=True)
    poll_interval = 0.5

    def __init__(self):
        self._doorbell = Doorbell()
        self._slots = Slots()
        self._last_full = 0.0

    def prepare(self) -> None:
        Scheduler.objects.get_or_create(
            name=f"local:{HOST}", defaults={"type": self.name, "host": HOST, "least_interval": 0.0}
        )

    def choose_scheduler(self, job):
        rows = {row.host: row for row in Scheduler.objects.filter(type=self.name)}
        alive = [host for host in alive_hosts("monitor") if host in rows]
        host = HOST if HOST in alive or not alive else alive[0]
        if host not in rows:
            self.prepare()
            return Scheduler.objects.get(type=self.name, host=HOST)
        return rows[host]

    # --- submission

    def submit(self, job) -> str:
        folder = attempt_folder(job.tag)
        if folder.spec() is not None:
            return job.tag
        workspace = workspace_path(job)
        copy_inputs(job, workspace)
        path = Path(folder.path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = {"shell": job.command} if job.shell else {"argv": list(job.command)}
        folder.prepare(
            {
                "tag": job.tag,
                **command,
                "cwd": str(workspace),
                "environment": environment(job, token_file=write_token(job, path)),
                "stdout": str(path / "stdout"),
                "stderr": str(path / "stderr"),
                "timeout": job.timeout,
                "grace": conf.LOCAL_GRACE,
                "doorbell": self._doorbell.path,
            }
        )
        return job.tag

    def recover(self, scheduler, tag: str) -> str | None:
        if parse_tag(tag) is None:
            return None
        return tag if attempt_folder(tag).spec() is not None else None

    # --- watching

    def poll(self, scheduler, cursor, watched: Sequence[Watched]) -> Poll:
        # What waits is looked at now and then only, but at once where somebody asked for a look (a stop, say).
        full = scheduler.look_wanted is not None or clock.now().timestamp() - self._last_full >= FULL_LOOK
        if full:
            self._last_full = clock.now().timestamp()
        reports = []
        for watch in watched:
            if full or watch.status != Status.SUBMITTED or self._slots.has_started(watch.tag):
                report = look(watch.tag)
                if report is not None:
                    reports.append(report)
        return Poll(reports, None, full)

    def resolve(self, scheduler, handles: Sequence[Handle]) -> list[Report]:
        return [report for handle in handles if (report := look(handle.tag)) is not None]

    def tick(self, scheduler) -> None:
        self._slots.start_waiting(scheduler, lambda tag: attempt_folder(tag))

    def wait(self, scheduler, seconds: float) -> bool:
        return self._doorbell.wait(seconds)

    # --- acting

    def stop(self, handles: Sequence[Handle], *, force: bool = False) -> dict[str, Outcome]:
        return {handle.tag: self._stop(handle.tag) for handle in handles}

    def _stop(self, tag: str) -> Outcome:
        folder = attempt_folder(tag)
        if folder.spec() is None or folder.outcome() is not None:
            return Outcome.OVER
        if not folder.cancel():
            folder.want("stop")
        return Outcome.DONE

    def pause(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return {handle.tag: self._want(handle.tag, "pause") for handle in handles}

    def resume(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return {handle.tag: self._want(handle.tag, "run") for handle in handles}

    def _want(self, tag: str, what: str) -> Outcome:
        folder = attempt_folder(tag)
        if folder.spec() is None or folder.outcome() is not None or folder.cancelled:
            return Outcome.OVER
        folder.want(what)
        return Outcome.DONE

    def forget(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        outcomes = {}
        for handle in handles:
            folder = attempt_folder(handle.tag)
            if folder.spec() is not None:
                folder.cancel()  # or a runner that is just being started would lose its folder
            report = look(handle.tag) if Path(folder.path).is_dir() else None
            if report is not None and report.status in (Status.RUNNING, Status.PAUSED):
                outcomes[handle.tag] = Outcome.LATER
                continue
            outcomes[handle.tag] = Outcome.DONE if Path(folder.path).is_dir() else Outcome.OVER
            shutil.rmtree(folder.path, ignore_errors=True)
            _remove_if_empty(Path(folder.path).parent)
        return outcomes

    def logs(self, handle: Handle) -> list[LogFile]:
        folder = attempt_folder(handle.tag)
        found = []
        for name, file in (("stdout", "stdout"), ("stderr", "stderr"), ("engine", "runner.log")):
            path = Path(folder.path) / file
            if path.is_file() and not path.is_symlink():
                found.append(LogFile(name, path.stat().st_size, path))
        # The runner says something only when it fails itself.
        return [log for log in found if log.name != "engine" or log.size]


def look(tag: str) -> Report | None:
    """How an attempt is, from its folder; None where there is no such attempt."""
    folder = attempt_folder(tag)
    outcome = folder.outcome()
    if outcome is None:
        if folder.spec() is None:
            return None
        if folder.cancelled:
            return Report(tag, Status.ABORTED, "Stopped before it started.")
        owner = folder.owner()
        if owner is None:
            return Report(tag, Status.PAUSED if folder.wanted() == "pause" else Status.SUBMITTED)
        try:
            alive = owner.is_alive()
        except ForeignProcessError:
            return Report(tag, Status.RUNNING)
        if alive:
            return _running(tag, folder.state())
        # It may have written its outcome between our two looks.
        outcome = folder.outcome()
    if outcome is None:
        return _runner_died(tag, folder)
    return _over(tag, outcome)


def _runner_died(tag: str, folder: AttemptFolder) -> Report:
    if folder.state() is None:
        return Report(tag, Status.ERROR, NEVER_STARTED, finished=clock.now())
    try:
        end_tagged(tag)
    except ProcessesLeftError as error:
        log.warning("%s: %s", tag, error)
        return Report(tag, Status.ERROR, f"{UNKNOWN} {error}", finished=clock.now())
    return Report(tag, Status.ERROR, UNKNOWN, finished=clock.now())


def _running(tag: str, state: dict | None) -> Report:
    if state is None:
        return Report(tag, Status.RUNNING)
    status = Status.PAUSED if state.get("paused") else Status.RUNNING
    return Report(tag, status, started=_time(state.get("started")))


def _over(tag: str, outcome: dict) -> Report:
    reason, exit_code = outcome["reason"], outcome.get("exit_code")
    status, message = Status.ERROR, outcome.get("message") or ""
    if reason == "stopped":
        status = Status.ABORTED
    elif reason == "exited" and exit_code == 0:
        # What the job itself said last stays beside a good end.
        status, message = Status.COMPLETE, None
    return Report(
        tag,
        status,
        message,
        exit_code=exit_code,
        started=_time(outcome.get("started")),
        finished=_time(outcome.get("finished")),
        resources={name: outcome[name] for name in ("cpu_seconds", "max_rss_bytes") if outcome.get(name) is not None},
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
