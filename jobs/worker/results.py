"""Processing results: a killable child calls the process_results_function, and commits its work with the mark that it ran."""

import logging
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db.models import F

from jobs.conf import conf
from jobs.faultpoints import FaultPoint
from jobs.models import Job, job_rows
from jobs.status import Status
from jobs.transactions import committing
from jobs.transitions import Change, transition
from jobs.worker.claims import claim_job, release_job, renewing

log = logging.getLogger(__name__)

CHILD = FaultPoint("worker.results_child")
GIVE_UP = FaultPoint("worker.results_give_up")

KEPT = 2000
"""Characters kept of what a child wrote to stderr."""


def process(job_id: int) -> None:
    """Process the results of a job that is Results-Ready, unless somebody does so already."""
    job = Job.objects.filter(pk=job_id, status_code=Status.RESULTS_READY).first()
    if job is None:
        return
    claim = claim_job(job_id, job.attempt, [Status.RESULTS_READY], tries=F("tries") + 1)
    if claim is None:
        return
    with renewing(job_rows().filter(pk=job_id)), CHILD:
        trouble = run_hook(job_id, "process_results", timeout=conf.RESULTS_TIMEOUT)
    if trouble is None:
        return
    if trouble.passing and job.tries + 1 < conf.RESULTS_TRIES:
        log.warning("job %s: processing its results broke off (%s); it is tried again", job_id, trouble.message)
        release_job(job_id, claim)
        return
    with committing(GIVE_UP):
        change = Change(
            job_id,
            job.attempt,
            Status.ERROR,
            message=f"Processing the results failed: {trouble.message}",
            only_from=frozenset({Status.RESULTS_READY}),
            results_failed=True,
        )
        transition([change], source="results")


class Trouble(Exception):
    """A hook's process did not end well; `passing` if it was ended by something else than the hook."""

    def __init__(self, message: str, *, passing: bool):
        super().__init__(message)
        self.message = message
        self.passing = passing


def run_hook(job_id: int, hook: str, *, timeout: float) -> Trouble | None:
    """Run `manage.py run_hook JOB HOOK` and wait for it, at most `timeout` seconds.

    Returns:
        None if it ended well; else what was wrong.
    """
    argv = [*manage_command(), "run_hook", str(job_id), hook]
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Trouble(f"it took longer than {timeout:g} seconds and was ended", passing=False)
    if ended.returncode == 0:
        return None
    said = ended.stderr.decode(errors="replace").strip()[-KEPT:]
    if ended.returncode < 0:
        return Trouble(f"its process was ended by signal {-ended.returncode}. {said}".strip(), passing=True)
    return Trouble(said or f"its process ended with exit status {ended.returncode}", passing=False)


def manage_command() -> list[str]:
    """The command line of this site's manage.py, or of django-admin where the site has none."""
    manage = Path(getattr(settings, "BASE_DIR", ".")) / "manage.py"
    return [sys.executable, str(manage)] if manage.is_file() else [sys.executable, "-m", "django"]
