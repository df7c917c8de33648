"""What engines have in common whose jobs are shell lines: the jobs, and the traces that they leave in a folder."""

from abc import abstractmethod

from jobs.engine import make_tag
from jobs.models import Job
from tests.contract.worlds.base import World

START = 'echo started >> "$OUTSIDE/$JOBDECK_TAG.starts"; '
WORK = 'sleep 600 & while :; do echo beat >> "$OUTSIDE/$JOBDECK_TAG.beats"; sleep 0.05; done'


class ShellWorld(World):
    """Each job is a shell line that leaves its traces in the folder `outside`, which its variable OUTSIDE names."""

    @abstractmethod
    def shell(self, line: str, **attributes) -> Job:
        """A job that has a shell read `START` and the line."""

    def succeeding(self, **attributes):
        return self.shell("true", **attributes)

    def failing(self, exit_code, **attributes):
        return self.shell(f"exit {exit_code}", **attributes)

    def lasting(self, **attributes):
        return self.shell(WORK, **attributes)

    def starts(self, job, attempt=None):
        return self._lines(f"{make_tag(job.uuid, attempt or job.attempt)}.starts")

    def work_done(self, job):
        return self._lines(f"{job.tag}.beats")

    def tags(self, job: Job) -> list[str]:
        """The tags of all its attempts."""
        return [make_tag(job.uuid, number) for number in range(1, job.attempt + 1)]

    def _lines(self, name: str) -> int:
        path = self.outside / name
        return path.read_text().count("\n") if path.exists() else 0
