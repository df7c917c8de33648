"""Processing results: a killable child calls the process_results_function, and commits its work with the mark that it ran."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
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
"""Bytes kept of the end of what a child wrote to stderr."""
GRACE = 5.0
"""Seconds after its deadline at which a child ends itself, if its worker did not."""


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
        if not job_rows().filter(pk=job_id, claim=claim, status_code=Status.RESULTS_READY).exists():
            return
        trouble = Trouble("its process ended before the function did, and said nothing", passing=False)
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
            claim=claim,
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
    # The child keeps the deadline too, a little later, for a worker that dies: a hook that hangs in a transaction would
    # keep SQLite from everybody for ever.
    own_deadline = f"--seconds={timeout + GRACE:g}"
    argv = [*manage_command(), "run_hook", str(job_id), hook, own_deadline]
    # A file, not a pipe: what a hook starts and leaves running holds its end of a pipe open.
    with tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
        )
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return Trouble(f"it took longer than {timeout:g} seconds and was ended", passing=False)
        if code == 0:
            return None
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - KEPT))
        said = stderr.read().decode(errors="replace").strip()
    if code < 0:
        return Trouble(f"its process was ended by signal {-code}. {said}".strip(), passing=True)
    return Trouble(said or f"its process ended with exit status {code}", passing=False)


def manage_command() -> list[str]:
    """The command line of this site's manage.py, or of django-admin where the site has none."""
    manage = Path(getattr(settings, "BASE_DIR", ".")) / "manage.py"
    return [sys.executable, str(manage)] if manage.is_file() else [sys.executable, "-m", "django"]
