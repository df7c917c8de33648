"""Our jobs in a schedd's queue: how they are named in a constraint, which go on, and how they are taken out of it."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from jobs.condor.answers import COMPLETED, HELD, REMOVED, SPOOLING
from jobs.condor.bindings.failures import NOT_ARRIVED
from jobs.condor.classads import quoted
from jobs.condor.reach import Reach
from jobs.engine import Handle

TOGETHER = 100
"""Attempts that are named in one constraint."""

STAGING_FAILED = "Staging of job files failed"
"""Why the schedd itself removes a cluster whose input broke off on its way (HTCondor's qmgmt, `spoolJobFilesReaper`)."""

STANDING = ["JobdeckTag", "JobdeckWorkflow", "JobStatus", "RemoteHost"]
"""What has to be asked for, for `goes_on` and `tag_of` to tell."""


def tag_of(ad: dict) -> str:
    """The attempt that a process belongs to; as one of a workflow's nodes, too."""
    return ad.get("JobdeckTag") or ad["JobdeckWorkflow"]


def goes_on(ad: dict) -> bool:
    """Whether anything of a process may still run, or start: also of one that was removed, until its program has ended."""
    return ad["JobStatus"] not in (REMOVED, COMPLETED) or (ad["JobStatus"] == REMOVED and "RemoteHost" in ad)


class Submission(StrEnum):
    """How far a cluster got."""

    WHOLE = "whole"
    """The schedd has all of it."""
    COMING = "coming"
    """Input of some of its processes has not come, so it has not started."""
    LOST = "lost"
    """It was given up because its input did not come; what is left of it is to go."""


def clusters_of(reach: Reach, tag: str) -> dict[int, Submission]:
    """The clusters in the queue that bear the tag."""
    projection = ["ClusterId", "JobStatus", "HoldReasonCode", "StageInFinish", "RemoveReason"]
    found: dict[int, set[Submission]] = {}
    for ad in reach.query(f"JobdeckTag == {quoted(tag)}", projection):
        found.setdefault(ad["ClusterId"], set()).add(_submission(ad))
    return {
        cluster: next(one for one in (Submission.COMING, Submission.LOST, Submission.WHOLE) if one in several)
        for cluster, several in found.items()
    }


def _submission(ad: dict) -> Submission:
    reason = ad.get("RemoveReason") or ""
    if ad["JobStatus"] == REMOVED and (NOT_ARRIVED in reason or STAGING_FAILED in reason):
        return Submission.LOST
    spooling = ad["JobStatus"] == HELD and ad.get("HoldReasonCode") == SPOOLING and not ad.get("StageInFinish")
    return Submission.COMING if spooling else Submission.WHOLE


def chunks(handles: Sequence[Handle]) -> Iterator[Sequence[Handle]]:
    """The attempts in groups of `TOGETHER`."""
    for start in range(0, len(handles), TOGETHER):
        yield handles[start : start + TOGETHER]


def any_of(handles: Sequence[Handle]) -> str:
    """A constraint for these attempts and nobody else's jobs; of workflows without their nodes."""
    return " || ".join(_this(handle) for handle in handles)


def nodes_of(handles: Sequence[Handle]) -> str:
    """A constraint for the nodes of these workflows."""
    return " || ".join(f"(JobdeckWorkflow == {quoted(handle.tag)})" for handle in handles)


def bearing(handles: Sequence[Handle]) -> str:
    """All that belongs to these attempts, by their tags alone: also a cluster that was submitted twice, and nodes."""
    return " || ".join(f"(JobdeckTag == {tag} || JobdeckWorkflow == {tag})" for tag in (quoted(h.tag) for h in handles))


def _this(handle: Handle) -> str:
    tag = f"JobdeckTag == {quoted(handle.tag)}"
    # The schedd finds a cluster at once, and goes through its whole queue for anything else.
    return f"(ClusterId == {int(handle.external_id)} && {tag})" if handle.external_id else f"({tag})"


def remove_from_queue(reach: Reach, constraint: str) -> None:
    """Have ended or never started jobs out of the queue: they stay there until they are removed with force."""
    reach.act("remove", f"({constraint}) && JobStatus != {REMOVED}", "Jobdeck has its outputs")
    reach.act("remove_x", constraint, "Jobdeck has its outputs")
