"""What of an engine's report is written down beside the transition that it brings."""

from collections.abc import Sequence

from jobs.engine import Part, Report
from jobs.models import job_rows
from jobs.transitions import storable
from jobs.types import type_of


def ending_of(report: Report, status: str, label: str) -> dict:
    """What is written down of an end until the outputs are here, as JSON; `jobs.worker.fetching` reads it."""
    return {
        "status": str(status),
        "label": label,
        "message": storable(report.message),
        "exit_code": report.exit_code,
        "progress": report.progress,
        "started": report.started.isoformat() if report.started else None,
        "finished": report.finished.isoformat() if report.finished else None,
        "resources": {**(report.resources or {}), **({"counts": report.counts} if report.counts else {})},
    }


def store_parts(job_id: int, attempt: int, parts: Sequence[Part]) -> None:
    """Have the job's type write down how the parts of an attempt are."""
    job_type = type_of(job_rows().get(pk=job_id))
    if job_type is not None and job_type.store_parts is not None:
        job_type.store_parts(job_id, attempt, parts)
