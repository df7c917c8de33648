"""The HTCondor engine: submission descriptions out, job ads in, through a child process that speaks to the schedd."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from django.db.models import Min

from jobs.condor.answers import COMPLETED, HELD, OUR_REASON, REMOVED, SPOOLING, SUSPENDED
from jobs.condor.bindings.failures import NOT_ARRIVED
from jobs.condor.bindings.transport import SUBMIT
from jobs.condor.classads import quoted
from jobs.condor.logs import log_names
from jobs.condor.models import CondorJob, CondorScheduler, CondorWorkflow
from jobs.condor.outputs import fetch_outputs, folders_for, forget_files, remove_own
from jobs.condor.queue import (
    STANDING,
    Submission,
    any_of,
    bearing,
    chunks,
    clusters_of,
    goes_on,
    nodes_of,
    remove_from_queue,
    tag_of,
)
from jobs.condor.reach import condor_scheduler, reach_of
from jobs.condor.submission.prepared import prepare_job
from jobs.condor.watching import Watch
from jobs.condor.workflows.logs import workflow_logs
from jobs.condor.workflows.outputs import fetch_workflow
from jobs.condor.workflows.prepared import prepare_workflow
from jobs.engine import (
    Check,
    Engine,
    EngineRefused,
    EngineUnavailable,
    Handle,
    LogFile,
    Outcome,
    Poll,
    Report,
    Supports,
    Watched,
    parse_tag,
)
from jobs.models import job_rows

SPOOLED = 20.0
"""Seconds after which a submission whose input has not come whole was broken off."""
STEP = 0.25
"""Seconds between two looks whether it has come."""
SLOWEST = 1 << 20
"""Bytes a second below which a submission is taken to be stuck."""
MOST_LOGS = 50
"""Processes of a job whose logs are offered; the others' are among the results."""


class CondorEngine(Engine):
    """Runs jobs in HTCondor pools. Nothing but the last answers is kept in memory, to add up what changes to them."""

    name = CondorScheduler.ENGINE
    supports = Supports(pause=True, fetch=True, test=True)
    poll_interval = 2.0

    def __init__(self):
        self._watches: dict[int, Watch] = {}

    def choose_scheduler(self, job):
        rows = list(CondorScheduler.objects.order_by("-is_default", "pk")[:2])
        if not rows:
            raise EngineRefused("scheduler: no HTCondor pool is set up here; staff can add one in the admin")
        if len(rows) > 1 and not rows[0].is_default:
            raise EngineRefused("scheduler: name one of the HTCondor pools, or have staff make one the default")
        return rows[0].scheduler_ptr

    # --- submission

    def submit(self, job) -> str:
        scheduler = condor_scheduler(job.scheduler)
        known = self.recover(scheduler, job.tag)
        if known is not None:
            return known
        reach = reach_of(scheduler)
        prepare = prepare_workflow if isinstance(job, CondorWorkflow) else prepare_job
        attempt = prepare(job, scheduler, reach)
        folders = attempt.folders
        deadline = SUBMIT + attempt.size * job.num_jobs / SLOWEST
        try:
            taken = reach.submit(attempt.text, job.num_jobs, attempt.sandbox, deadline=deadline)
        except EngineRefused:
            remove_own(folders)
            raise
        cluster = str(taken["cluster"])
        if not folders.shared and self.recover(scheduler, job.tag) != cluster:
            # Its schedd was killed before it had noted that all has come, and would keep it on hold for ever.
            raise EngineUnavailable(f"the schedd does not have all input of cluster {cluster}; it is submitted again")
        return cluster

    def recover(self, scheduler, tag: str) -> str | None:
        if parse_tag(tag) is None:
            return None
        reach = reach_of(condor_scheduler(scheduler))
        deadline = time.monotonic() + SPOOLED
        while True:
            clusters = clusters_of(reach, tag)
            # The schedd takes a moment to see that all of a job's input has come.
            if Submission.COMING not in clusters.values() or time.monotonic() > deadline:
                break
            time.sleep(STEP)
        whole = sorted(cluster for cluster, state in clusters.items() if state is Submission.WHOLE)
        for cluster in set(clusters) - set(whole[:1]):
            this = f"ClusterId == {cluster} && JobdeckTag == {quoted(tag)}"
            if clusters[cluster] is Submission.COMING:
                # It has not started; if its files come in this moment after all, it is left alone.
                waits = f"JobStatus == {HELD} && HoldReasonCode =?= {SPOOLING}"
                reach.act("remove", f"{this} && {waits}", NOT_ARRIVED)
                if reach.query(f"{this} && JobStatus != {REMOVED}", ["ClusterId"]):
                    raise EngineUnavailable(f"the input of cluster {cluster} came late; it is looked at again")
            if clusters[cluster] is Submission.WHOLE:
                # It may run by now: by force it goes when its program has ended, see `forget`.
                reach.act("remove", this, "it was submitted twice")
            else:
                remove_from_queue(reach, this)
        return str(whole[0]) if whole else None

    # --- watching

    def poll(self, scheduler, cursor, watched: Sequence[Watched]) -> Poll:
        pool = condor_scheduler(scheduler)
        watch = self._watches.setdefault(pool.pk, Watch())
        return watch.poll(pool, reach_of(pool), cursor, watched)

    def resolve(self, scheduler, handles: Sequence[Handle]) -> list[Report]:
        pool = condor_scheduler(scheduler)
        watch = self._watches.setdefault(pool.pk, Watch())
        since = job_rows().filter(uuid__in=_uuids(handles)).aggregate(since=Min("execute_time"))["since"]
        jobs = _jobs(handles).values()
        return watch.resolve(reach_of(pool), handles, since, sum(job.num_jobs for job in jobs) or 1)

    def test(self, scheduler) -> list[Check]:
        try:
            reach = reach_of(condor_scheduler(scheduler))
        except EngineUnavailable as error:
            return [Check("Settings", False, str(error))]
        return reach.test()

    # --- acting

    def stop(self, handles: Sequence[Handle], *, force: bool = False) -> dict[str, Outcome]:
        return self._act(handles, "remove", f"JobStatus != {REMOVED} && JobStatus != {COMPLETED}", force=force)

    def pause(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return self._act(handles, "hold", f"JobStatus != {REMOVED} && JobStatus != {COMPLETED} && JobStatus != {HELD}")

    def resume(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        return self._act(handles, "release", f"JobStatus == {HELD} && HoldReasonCode =!= {SPOOLING}")

    def _act(self, handles: Sequence[Handle], action: str, which: str, *, force: bool = False) -> dict[str, Outcome]:
        outcomes = {}
        for scheduler, several in _by_scheduler(handles):
            reach = reach_of(scheduler)
            for some in chunks(several):
                workflows = [handle for handle in some if handle.tag in _workflow_tags(some)]
                every = " || ".join(filter(None, [any_of(some), nodes_of(workflows)]))
                ads = reach.query(every, [*STANDING, "HoldReasonCode"])
                alive = {tag_of(ad) for ad in ads if goes_on(ad)}
                # The schedd releases by itself what it held for its input's sake; holding that now would be in vain.
                early = {tag_of(ad) for ad in ads if ad.get("HoldReasonCode") == SPOOLING and action != "remove"}
                if action == "release" and any(ad["JobStatus"] == SUSPENDED for ad in ads):
                    raise EngineRefused("The pool itself suspended it where it runs, and lets it go on when it will.")
                now = [handle for handle in some if handle.tag in alive - early]
                if now:
                    # DAGMan removes its nodes by itself, and writes down what was done; a held one holds none of them.
                    theirs = nodes_of([one for one in now if one in workflows]) if action != "remove" or force else ""
                    these = " || ".join(filter(None, [any_of(now), theirs]))
                    reach.act(action, f"({these}) && {which}", OUR_REASON)
                for handle in some:
                    outcome = Outcome.DONE if handle.tag in alive else Outcome.OVER
                    outcomes[handle.tag] = Outcome.LATER if handle.tag in early else outcome
        return outcomes

    # --- after the end

    def fetch(self, handle: Handle, into: Path) -> Report | None:
        scheduler = condor_scheduler(handle.scheduler)
        job = _jobs([handle])[parse_tag(handle.tag)[0]]
        fetch = fetch_workflow if isinstance(job, CondorWorkflow) else fetch_outputs
        return fetch(job, handle, folders_for(job, handle, scheduler), reach_of(scheduler))

    def forget(self, handles: Sequence[Handle]) -> dict[str, Outcome]:
        outcomes = {}
        for scheduler, several in _by_scheduler(handles):
            reach = reach_of(scheduler)
            for some in chunks(several):
                ads = reach.query(bearing(some), STANDING)
                there = {tag_of(ad) for ad in ads}
                going_on = {tag_of(ad) for ad in ads if goes_on(ad)}
                over = [handle for handle in some if handle.tag in there - going_on]
                if over:
                    remove_from_queue(reach, bearing(over))
                jobs = _jobs(some)
                left = reach.forget([handle.tag for handle in some if handle.tag not in going_on])
                for handle in some:
                    if handle.tag in going_on:
                        outcomes[handle.tag] = Outcome.LATER
                    else:
                        had_files = forget_files(jobs.get(parse_tag(handle.tag)[0]), handle, scheduler)
                        had_any = had_files or handle.tag in there or handle.tag in left
                        outcomes[handle.tag] = Outcome.DONE if had_any else Outcome.OVER
        return outcomes

    def logs(self, handle: Handle) -> list[LogFile]:
        job = _jobs([handle]).get(parse_tag(handle.tag)[0])
        if job is None or not handle.external_id:
            return []
        base = folders_for(job, handle, condor_scheduler(handle.scheduler)).base
        if isinstance(job, CondorWorkflow):
            return list(workflow_logs(job, parse_tag(handle.tag)[1], base))
        found = []
        for name, relative in log_names(job, handle.external_id, min(job.num_jobs, MOST_LOGS)):
            path = base / relative
            if path.is_relative_to(base) and path.is_file() and not path.is_symlink():
                found.append(LogFile(name, path.stat().st_size, path, inside=base))
        return found


def _by_scheduler(handles: Sequence[Handle]) -> Iterator[tuple[CondorScheduler, list[Handle]]]:
    groups: dict[int, list[Handle]] = {}
    for handle in handles:
        groups.setdefault(handle.scheduler.pk, []).append(handle)
    for several in groups.values():
        yield condor_scheduler(several[0].scheduler), several


def _uuids(handles: Sequence[Handle]) -> set[UUID]:
    return {parsed[0] for handle in handles if (parsed := parse_tag(handle.tag))}


def _jobs(handles: Sequence[Handle]) -> dict[UUID, CondorJob | CondorWorkflow]:
    """The jobs and workflows of these attempts, in two queries."""
    uuids = _uuids(handles)
    return {job.uuid: job for model in (CondorJob, CondorWorkflow) for job in model.objects.filter(uuid__in=uuids)}


def _workflow_tags(handles: Sequence[Handle]) -> set[str]:
    """The tags of those of them that are workflows."""
    rows = CondorWorkflow.objects.non_polymorphic().filter(uuid__in=_uuids(handles))
    workflows = set(rows.values_list("uuid", flat=True))
    return {handle.tag for handle in handles if (parsed := parse_tag(handle.tag)) and parsed[0] in workflows}
