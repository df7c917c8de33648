"""The tab 'Tasks' of a run's page: a map of its tasks, those that failed, those that took longest, and restarting."""

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from jobs.farm.models import FarmRun
from jobs.farm.pages.cells import cells_of
from jobs.farm.pages.drawing import draw
from jobs.farm.pages.lists import failed_tasks, slowest_tasks
from jobs.farm.pages.restart import offered
from jobs.farm.pages.standing import standing_of
from jobs.paging import number


def tasks_tab(request: HttpRequest, job: FarmRun, row):
    """The tasks of the current attempt; of those that failed the ones behind `?after=`."""
    attempt = job.state
    standing = standing_of(attempt, job.num_tasks)
    buttons = offered(request.user, job, standing, row.open_action)
    after = number(request.GET.get("after"))

    def body() -> dict:
        return {
            "standing": standing,
            "buttons": buttons,
            "map": draw(cells_of(attempt, job.num_tasks)),
            "failed": failed_tasks(attempt, after),
            "after": after,
            "downloads": _downloads(job) if attempt is not None and attempt.done + attempt.failed else [],
            "slowest": slowest_tasks(attempt, job.num_tasks),
        }

    return (job.attempt, job.status_code, standing, buttons, after), body


def _downloads(job: FarmRun) -> list[tuple[str, str]]:
    """What all results can be downloaded as: title and address; nothing where the site has no REST."""
    try:
        return [
            (title, reverse(f"jobs_api:farm_results_{name}", args=[job.uuid]))
            for title, name in (("CSV", "csv"), ("JSON lines", "jsonl"))
        ]
    except NoReverseMatch:
        return []
