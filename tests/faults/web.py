"""A person at the browser whose web server dies now and then: tries again, after looking whether it worked."""

import re

import httpx

from jobs.errors import ActionNotAllowed
from jobs.models import BulkAction, Intent, Job, Scheduler
from jobs.status import FINAL, Status
from tests.faults.stack import wait_until


class Web:
    """A client that is logged in.

    Args:
        url: of the site.
        name: user name, and password.
    """

    def __init__(self, url: str, name: str):
        self.url = url
        self.name = name
        self.client: httpx.Client | None = None

    def create(self, name: str, command: str) -> None:
        """Start a shell command with the form for a new job; the name tells whether it worked."""
        values = {"name": name, "command_line": command, "shell": "on", "do": "run"}
        self._until(lambda: Job.objects.filter(name=name).exists(), lambda: self._post("/jobs/new/COMMAND/", values))
        job = Job.objects.get(name=name)
        # The server may have died between making the job and running it: then the person presses Run.
        if job.status_code == Status.PENDING and not Intent.objects.filter(job=job).exists():
            self.act(job, "run")

    def act(self, job: Job, action: str) -> None:
        """Press one of the job's buttons."""

        def wanted() -> bool:
            job.read_row()
            return job.status_code in FINAL or Intent.objects.filter(job=job, action=action).exists()

        self._until(wanted, lambda: self._post(f"/jobs/{job.pk}/{action}/", {}))

    def delete_all(self, text: str) -> None:
        """Delete all jobs that a text is found in; looks whether it was taken down before trying again."""
        wanted = {"text": [text]}
        self._until(
            lambda: any(bulk.filter == wanted for bulk in BulkAction.objects.filter(action="delete")),
            lambda: self._post("/jobs/bulk/", {"action": "delete", "all": "1", "text": text}),
        )

    def test_scheduler(self, scheduler_id: int) -> None:
        """Press 'Test connection'; looks whether it was taken down, or answered, before trying again."""
        before = _last_test(scheduler_id)
        self._until(
            lambda: _last_test(scheduler_id) != before,
            lambda: self._post(f"/jobs/schedulers/{scheduler_id}/test/", {}),
        )

    def look(self, job_id: int, delay: float) -> None:
        """Visit the job's callback URL."""
        answers = []
        self._until(
            lambda: bool(answers),
            lambda: answers.append(
                httpx.get(f"{self.url}/update-job-status/{job_id}/?delay={delay}").json()["success"]
            ),
        )

    def make_task(self, task_id: str, sub_params: dict) -> None:
        """Make a task with the task API; whoever finds the id taken has made it before."""
        answers = []

        def post() -> None:
            body = {"id": task_id, "subParams": sub_params}
            answer = httpx.post(f"{self.url}/api/tasks", json=body, auth=(self.name, self.name), timeout=10)
            answers.extend([answer] if answer.status_code in (200, 409) else [])

        self._until(lambda: bool(answers), post)

    def _until(self, true, attempt) -> None:
        def tried() -> bool:
            if not true():
                try:
                    attempt()
                except (httpx.HTTPError, KeyError, AttributeError):
                    self.client = None
                return true()
            return True

        if not wait_until(tried, 40, step=0.2):
            raise ActionNotAllowed("the web server did not do it within 40 s")

    def _post(self, path: str, values: dict) -> None:
        if self.client is None:
            client = httpx.Client(base_url=self.url, timeout=10)
            page = client.get("/accounts/login/").text
            login = {"username": self.name, "password": self.name, "csrfmiddlewaretoken": _token(page)}
            client.post("/accounts/login/", data=login)
            self.client = client
        self.client.post(path, data={**values, "csrfmiddlewaretoken": self.client.cookies["csrftoken"]})


def _last_test(scheduler_id: int) -> tuple:
    return Scheduler.objects.values_list("test_wanted", "last_test").get(pk=scheduler_id)


def _token(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
