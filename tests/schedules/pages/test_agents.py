"""The pages of agents."""

import pytest
from django.test import Client

from jobs.schedules.agent.timetable import microseconds
from jobs.schedules.models import Agent, EnrolToken
from tests.schedules.pages.asking import HTMX, LIST, text
from tests.schedules.spoken import Spoken

pytestmark = pytest.mark.django_db


def test_agents_have_version_tags_sign_of_life_clock_and_load(time, anns, agent):
    Agent.objects.update(tags=["gpu"])
    agent.sync(version="7.1", cores=8, load=0.5, clock=microseconds(time.time) + 600_000_000)
    page = text(anns, f"{LIST}agents/")
    for words in ("7.1", "gpu", "in touch", "10 m 00 s ahead", "0.5 on 8 cores"):
        assert words in page, words
    time.move(31)
    assert "silent" in text(anns, f"{LIST}agents/")


def test_a_silent_agent_shows_although_nothing_was_written(time, anns, agent):
    agent.sync()
    page = text(anns, f"{LIST}agents/", **HTMX)
    version = page.partition('name="version" value="')[2].partition('"')[0]
    time.move(31)
    assert '<span class="jd-ill">silent</span>' in text(anns, f"{LIST}agents/?version={version}", **HTMX)


def test_what_was_refused_and_thrown_away_is_on_the_agents_page(anns, agent):
    agent.sync(dropped=3, folder="/srv", account="build", allowed=["df"])
    agent.send("sync", b"{}", agent.signed("sync", b"{ }"))
    page = text(anns, f"{LIST}agents/{agent.row.pk}/")
    for words in ("1 call in its name was refused", "no room for 3 outputs", "/srv", "build", "df"):
        assert words in page, words


def test_an_agent_is_let_in_named_and_removed_by_who_may(manager, bobs, agent):
    page = manager.post(f"{LIST}agents/token/", {"name": "node7", "tags": "gpu fast"}).content.decode()
    assert "JOBDECK_ENROL_TOKEN=jobdeck-agent_" in page
    assert EnrolToken.objects.get(name="node7").tags == ["gpu", "fast"]
    assert manager.post(f"{LIST}agents/token/", {"name": "a b"}).status_code == 422
    url = f"{LIST}agents/{agent.row.pk}/"
    assert manager.post(url, {"name": "node2", "tags": "gpu"}).status_code == 302
    assert "letters, digits" in manager.post(url, {"name": "a b"}).content.decode()
    assert "Remove the agent node2?" in text(manager, f"{url}remove/")
    assert bobs.post(f"{url}remove/").status_code == 403
    assert bobs.post(url, {"name": "x"}).status_code == 403
    assert bobs.post(f"{LIST}agents/token/").status_code == 403
    assert manager.post(f"{url}remove/").status_code == 302
    assert text(manager, url, 404)


def test_the_agent_itself_is_served_to_everybody(db):
    answer = Client().get(f"{LIST}jobdeck-agent.pyz")
    assert answer.status_code == 200
    assert answer.content.startswith(b"#!")


def test_a_token_that_was_made_by_mistake_is_withdrawn(manager, bobs):
    manager.post(f"{LIST}agents/token/", {"name": "node7", "tags": "gpu"})
    token = EnrolToken.objects.get()
    page = text(manager, f"{LIST}agents/")
    assert "Tokens that nobody has used yet" in page
    assert f"…{token.ending}" in page
    assert "nobody has used" not in text(bobs, f"{LIST}agents/")
    url = f"{LIST}agents/token/{token.pk}/withdraw/"
    assert bobs.post(url).status_code == 403
    assert manager.get(url).status_code == 405
    manager.post(url)
    assert not EnrolToken.objects.exists()
    used = Spoken("node1")
    manager.post(f"{LIST}agents/token/{EnrolToken.objects.get().pk}/withdraw/")
    assert "it was used" in text(manager, f"{LIST}agents/")
    assert used.row.removed is None
