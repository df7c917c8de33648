"""Job types of an app author: one with hooks instead of an engine, and one for the fake engine."""

import subprocess
import sys
import time
from pathlib import Path

from django.db import models

from jobs.models import Job
from jobs.workspaces import make_workspace, workspace_path


class EchoJob(Job):
    """Writes a text into its workspace; over when somebody put a file `done` there."""

    text = models.CharField(max_length=200, default="hello")

    class Meta:
        app_label = "exampleapp"

    def _execute(self):
        if self.text == "fail":
            raise RuntimeError("there is no echo here")
        if self.text in ("hang", "background"):
            child = subprocess.Popen(["sleep", "30"], stdout=sys.stdout)
            (make_workspace(self) / "child").write_text(str(child.pid))
        if self.text == "hang":
            time.sleep(600)
        if self.text == "slow":
            self._wait_for_leave()
        with (make_workspace(self) / "echo.txt").open("a") as file:
            file.write(f"{self.text}\n")

    def _wait_for_leave(self):
        folder = make_workspace(self)
        (folder / "slow").touch()
        deadline = time.monotonic() + 20
        while not (folder / "go on").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _update_status(self):
        if self.text == "unwell":
            raise KeyError("where")
        return "Complete" if (workspace_path(self) / "done").exists() else "Running"

    def stop(self):
        (workspace_path(self) / "stopped").touch()

    def _get_logs(self):
        return {"echo": Path(workspace_path(self) / "echo.txt").read_text()}


class FakeJob(Job):
    """A job that a test has a fake engine run."""

    class Meta:
        app_label = "exampleapp"


class Counted(models.Model):
    """One row for each time that a process_results_function ran and was kept."""

    job_id = models.BigIntegerField()
    attempt = models.PositiveIntegerField()

    class Meta:
        app_label = "exampleapp"
