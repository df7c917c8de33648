"""What the task API answers, as seed 000 and its program have it: plain dictionaries."""

from collections.abc import Iterable
from datetime import UTC, datetime

from jobs.condor.models import HtcTask, TrackerNote
from jobs.condor.taskapi.states import COMPLETED, FAILED, IGNORED, QUEUED, SUBMITTED, TIMED_OUT, Facts
from jobs.condor.taskapi.tasks import facts_of
from jobs.status import Status

_COUNTED = {
    QUEUED: "nTasksQueued",
    SUBMITTED: "nTasksSubmitted",
    COMPLETED: "nTasksCompleted",
    FAILED: "nTasksCompletedWithError",
    TIMED_OUT: "nTasksTimedOut",
}
CREATED, EXECUTING, WELL, ILL = 0, 1, 2, 3
"""States of clusters and processes."""


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() if value else None


def task_document(task: HtcTask, now: datetime) -> dict:
    """A Task. Its job is read, and `state_time`."""
    job, facts = task.job, facts_of(task)
    submitted = facts.used > 0
    return {
        "id": task.task_id,
        "creationDate": moment(job.creation_time),
        "subParams": dict(job.attributes),
        "state": facts.state(now),
        "stateDate": moment(getattr(task, "state_time", None) or job.creation_time),
        "retriesLeft": facts.retries_left,
        "clusterId": job.cluster_id or task.posted_cluster,
        "procId": task.posted_proc,
        "expirationDate": moment(task.expires),
        "latestSubId": f"{job.uuid}-{facts.used}" if submitted else None,
    }


def list_document(tasks: Iterable[HtcTask], now: datetime) -> dict:
    """A list of tasks."""
    items = [task_document(task, now) for task in tasks]
    return {"kind": "hpctask-list", "responseDate": moment(now), "items": items}


def status_document(tasks: Iterable[Facts], now: datetime) -> dict:
    """How many tasks are in which state."""
    counts = dict.fromkeys(_COUNTED.values(), 0)
    for facts in tasks:
        state = facts.state(now)
        if state != IGNORED:
            counts[_COUNTED[state]] += 1
    return {"kind": "dtaskapi-htc-server-status", "responseDate": moment(now), **counts}


def cluster_document(task: HtcTask, cluster_id: int, posted: TrackerNote | None, now: datetime) -> dict:
    """A cluster with its task. State and processes are what the pool says, the ad is what a tracker posted."""
    job = task.job
    state = _cluster_state(job.status_code)
    body = posted.body if posted else {}
    return {
        "kind": "htc-cluster-with-task",
        "cluster": {
            "id": cluster_id,
            "creationDate": moment(job.execute_time or job.creation_time),
            "taskId": task.task_id,
            "subParams": dict(job.attributes),
            "clusterAd": body.get("clusterAd", {}),
            "firstProc": 0,
            "numProcs": job.num_jobs,
            "status": {
                "clusterState": state,
                "procs": [
                    {"procId": number, "procState": state, "exitCode": job.exit_code} for number in range(job.num_jobs)
                ],
            },
        },
        "task": task_document(task, now),
        "extra": {},
    }


def _cluster_state(status: str) -> int:
    if status == Status.COMPLETE:
        return WELL
    if status in (Status.PENDING, Status.SUBMITTED):
        return CREATED
    return ILL if status in (Status.ERROR, Status.VARIOUS_COMPLETE, Status.ABORTED) else EXECUTING
