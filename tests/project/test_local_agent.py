"""The agent that `make run` starts: let in once, and there again at the next start, whatever became of the last one."""

import shutil

from tests.project.site import Site, free_port, until

AGENTS = "from jobs.schedules.models import Agent; print(Agent.objects.enrolled().count(), Agent.objects.count())"
SEEN = "from jobs.schedules.models import Agent; print(Agent.objects.heard().filter(name='local').count())"
FORGET = "from jobs.schedules.models import Agent; Agent.objects.update(last_seen=None)"
REMOVE = """
from jobs.schedules.enrolment import remove_agent
from jobs.schedules.models import Agent
remove_agent(Agent.objects.get())
"""


def again(site: Site) -> None:
    """End it, and start it anew."""
    site.end()
    site.python(FORGET)
    site.start("--without-examples")


def heard(site: Site) -> bool:
    return site.python(SEEN) == "1"


def test_it_is_the_same_at_the_next_start_also_at_another_port(site):
    site.start("--without-examples")
    until(lambda: heard(site))
    site.end()
    site.port = free_port()
    site.environment["PORT"] = str(site.port)
    again(site)
    until(lambda: heard(site))
    assert site.python(AGENTS) == "1 1"


def test_one_whose_files_are_gone_is_let_in_anew(site):
    site.start("--without-examples")
    until(lambda: heard(site))
    site.end()
    shutil.rmtree(site.folder / "agent" / "data")
    again(site)
    until(lambda: heard(site))
    assert site.python(AGENTS) == "1 2"


def test_one_that_was_removed_stays_away_and_the_site_runs_on(site):
    site.start("--without-examples")
    until(lambda: heard(site))
    site.python(REMOVE)
    again(site)
    until(lambda: site.said("The agent of this machine was removed"))
    assert site.python(AGENTS) == "0 1"
    assert site.get("/healthz")[0] == 200
