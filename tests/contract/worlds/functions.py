"""Functions, in a worker with a process for each call."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.conf import settings

from jobs.engine import make_tag
from jobs.functions.engine import FunctionEngine
from jobs.functions.logs import attempt_folder
from jobs.functions.models import CallState, FunctionCall, FunctionJob, FunctionWorker
from jobs.functions.tasks import take
from tests.contract.worlds.base import World

WORKER = ("worker", "--queues", "tests", "--concurrency", "4")


class FunctionsWorld(World):
    """Each job calls one of `tests.exampleapp.functions`, which leaves its traces in the test's folder."""

    name = "functions"
    model = FunctionJob
    supports = FunctionEngine.supports
    exit_codes = False
    # With each broker once.
    driver_on = {
        None: "on_postgresql",
        "embedded": "on_sqlite",
        "redis": "on_postgresql",
        "rabbitmq": "on_postgresql",
    }
    transactional = True
    processes = {"functions": WORKER}
    takes_work = "functions"
    broker_queues = (".tests",)

    @classmethod
    @contextmanager
    def running_engine(cls):
        yield FunctionEngine()

    def restart(self):
        self.engine = FunctionEngine()

    @classmethod
    def is_up(cls, pid):
        return FunctionWorker.objects.filter(pid=pid).exists()

    @classmethod
    def start_workers(cls, folder: Path, pool: str = "prefork") -> subprocess.Popen:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        with (folder / "functions.log").open("ab") as log:
            argv = [sys.executable, "manage.py", *WORKER, "--pool", pool]
            worker = subprocess.Popen(
                argv, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while not cls.is_up(worker.pid):
            assert worker.poll() is None, (folder / "functions.log").read_text()
            assert time.monotonic() < deadline, "the worker for functions did not come up"
            time.sleep(0.1)
        return worker

    # --- jobs

    def calling(self, function: str, attributes: dict, **arguments) -> FunctionJob:
        return self.job(function=function, arguments={"outside": str(self.outside), **arguments}, **attributes)

    def succeeding(self, **attributes):
        return self.calling("succeed", attributes)

    def failing(self, exit_code, **attributes):
        return self.calling("fail", attributes, code=exit_code)

    def lasting(self, **attributes):
        return self.calling("last", attributes)

    def writing(self, text, **attributes):
        return self.calling("last", attributes, text=text)

    def impossible(self, **attributes):
        job = self.succeeding(**attributes)
        FunctionJob.objects.filter(pk=job.pk).update(function="no_longer_there")
        job.function = "no_longer_there"
        return job

    # --- what happens outside

    def starts(self, job, attempt=None):
        return self._text(job, "starts", attempt).count("\n")

    def work_done(self, job):
        return self._text(job, "beats").count("\n")

    def works(self, job):
        return any(_is_alive(int(pid)) for pid in self._text(job, "pids").split())

    def traces(self, job):
        tags = [make_tag(job.uuid, number) for number in range(1, job.attempt + 1)]
        rows = FunctionCall.objects.filter(tag__in=tags).values_list("tag", flat=True)
        return [*rows, *(str(folder) for tag in tags if (folder := attempt_folder(tag)).exists())]

    def lose(self, job):
        FunctionCall.objects.filter(tag=job.tag).delete()
        for pid in self._text(job, "pids").split():
            if _is_alive(int(pid)):
                psutil.Process(int(pid)).kill()

    def has_message(self, job, broker):
        # Whoever wants a job to run sends it. The test does so to the broker of its own settings; here to the site's.
        with broker.connection() as sender:
            take.apply_async(["tests"], queue=f"{broker.queue}.tests", connection=sender)
        return FunctionCall.objects.filter(tag=job.tag).exists()

    def close(self):
        ours = FunctionCall.objects.filter(job__in=[job.pk for job in self.jobs])
        ours.filter(state=CallState.QUEUED).delete()
        deadline = time.monotonic() + 10
        while (running := ours.filter(state=CallState.RUNNING)).exists() and time.monotonic() < deadline:
            running.update(stop_wanted=True)
            time.sleep(0.1)

    def _text(self, job, kind: str, attempt: int | None = None) -> str:
        path = self.outside / f"{make_tag(job.uuid, attempt or job.attempt)}.{kind}"
        return path.read_text() if path.exists() else ""


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
