"""What the overview of a run says: how far it is, its rules, who may work on it, and how a worker is started."""

from dataclasses import dataclass
from datetime import timedelta

from jobs import clock
from jobs.farm.models import FarmRun, FarmWorker
from jobs.farm.pages.standing import Standing, standing_of


@dataclass(frozen=True)
class Facts:
    """What the panel shows beside the job itself.

    Attributes:
        participants: names of the others who may work on it.
        workers: how many were heard of within the last minute.
    """

    standing: Standing
    participants: tuple[str, ...]
    workers: int

    @property
    def lacks_workers(self) -> bool:
        """It waits for somebody to start one."""
        standing = self.standing
        return standing.goes_on and not self.workers and not standing.computing and standing.waiting > 0


def facts_of(job: FarmRun) -> Facts:
    """The facts of a run, read in three queries."""
    people = FarmRun.participants.through.objects.filter(farmrun=job.pk).order_by("user__username")
    since = clock.now() - timedelta(seconds=FarmWorker.SILENT_AFTER)
    return Facts(
        standing_of(job.state, job.num_tasks),
        tuple(people.values_list("user__username", flat=True)),
        FarmWorker.objects.filter(run=job.pk, seen__gte=since).count(),
    )
