"""Commands on this machine."""

import shutil
import signal
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from jobs.conf import conf
from jobs.local.attempts import AttemptFolder
from jobs.local.engine import LocalEngine
from jobs.local.models import CommandJob
from jobs.processes.identity import end_tagged, tagged_processes
from tests.contract.worlds.shell import START, WORK, ShellWorld


class LocalWorld(ShellWorld):
    """Each job is a shell line that leaves its traces in the test's folder."""

    name = "local"
    model = CommandJob
    supports = LocalEngine.supports

    _engines: list[LocalEngine] = []
    """An engine lives as long as its process, and so do the runners that it is the parent of."""

    @classmethod
    @contextmanager
    def running_engine(cls):
        cls._engines.append(LocalEngine())
        yield cls._engines[-1]

    def restart(self):
        self._engines.append(LocalEngine())
        self.engine = self._engines[-1]

    def shell(self, line: str, *, environment=None, **attributes) -> CommandJob:
        variables = {"OUTSIDE": str(self.outside), **(environment or {})}
        return self.job(command=START + line, shell=True, environment=variables, **attributes)

    def writing(self, text, **attributes):
        return self.shell(f'printf %s "$TEXT"; {WORK}', environment={"TEXT": text}, **attributes)

    def impossible(self, **attributes):
        return self.shell("true", input_files=[str(self.outside / "no such file")], **attributes)

    def works(self, job):
        return bool(tagged_processes(job.tag))

    def traces(self, job):
        folder = self._folder(job)
        files = [folder, *folder.rglob("*")] if folder.exists() else []
        processes = [process for tag in self.tags(job) for process in tagged_processes(tag)]
        return [str(trace) for trace in (*files, *processes)]

    def lose(self, job):
        folder = self._folder(job) / str(job.attempt)
        owner = AttemptFolder(folder).owner()
        # At once: half of a folder would not be a loss, but another story.
        lost = folder.rename(conf.data_dir / f"lost-{uuid4()}")
        if owner is not None:
            owner.signal(signal.SIGKILL)
        end_tagged(job.tag)
        shutil.rmtree(lost)

    def close(self):
        for job in self.jobs:
            for path in self._folder(job).glob("*"):
                attempt = AttemptFolder(path)
                attempt.cancel()
                owner = attempt.owner()
                if owner is not None:
                    owner.signal(signal.SIGKILL)
            for tag in self.tags(job):
                end_tagged(tag)

    def _folder(self, job) -> Path:
        return conf.data_dir / "local" / job.uuid.hex
