"""Jobs of many parts: how they are in one bar, and logs of each."""

import pytest

from jobs.models import job_rows
from jobs.status import Status
from jobs.transitions import Change, transition
from jobs.web import attempts
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


def with_parts(job, **counts):
    job_rows().filter(pk=job.pk).update(resources={"counts": counts})
    return job


def page(browser, url) -> str:
    return " ".join(browser.get(url).content.decode().split())


@pytest.mark.parametrize("url", ["/jobs/", "/jobs/{}/"])
def test_parts_are_a_bar_with_its_words(anns, new_job, url):
    job = with_parts(new_job(status=Status.VARIOUS, progress=62.6), COM=310, RUN=187, ERR=3)

    shown = page(anns, url.format(job.pk))

    assert "313 of 500 over" in shown
    assert [shown.index(words) for words in ("310 Complete", "3 Error", "187 Running")] == sorted(
        shown.index(words) for words in ("310 Complete", "3 Error", "187 Running")
    )
    assert "<progress" not in shown


def test_a_job_of_one_part_has_its_progress_bar(anns, new_job):
    new_job(status=Status.RUNNING, progress=40)

    shown = page(anns, "/jobs/")

    assert "<progress" in shown
    assert "jd-parts" not in shown


def test_parts_that_all_ended_alike_need_no_bar(anns, new_job):
    with_parts(new_job(status=Status.COMPLETE), COM=500)

    assert "jd-parts" not in page(anns, "/jobs/")


def test_parts_that_ended_differently_keep_it(anns, new_job):
    with_parts(new_job(status=Status.VARIOUS_COMPLETE), COM=499, ERR=1)

    assert "500 of 500 over" in page(anns, "/jobs/")


@pytest.mark.parametrize("counts", [None, [], "COM", {"NONSENSE": 3}, {"COM": 0}])
def test_counts_that_are_none_show_nothing(anns, new_job, counts):
    job = new_job(status=Status.RUNNING)
    job_rows().filter(pk=job.pk).update(resources={"counts": counts})

    assert "jd-parts" not in page(anns, "/jobs/")
    assert "jd-parts" not in page(anns, f"/jobs/{job.pk}/")


def test_a_part_that_ends_is_news_for_the_list(anns, new_job, known):
    job = with_parts(new_job(status=Status.VARIOUS), COM=1, RUN=9)
    had = known(anns.get("/jobs/"))
    assert anns.get(f"/jobs/rows/?known={had}", headers=HTMX).status_code == 204

    transition([Change(job.pk, 1, resources={"counts": {"COM": 2, "RUN": 8}})], source="test")

    assert "2 of 10 over" in anns.get(f"/jobs/rows/?known={had}", headers=HTMX).content.decode()


def test_logs_of_many_processes_are_picked_from_a_list(anns, new_job, logs):
    job = new_job(status=Status.RUNNING)
    for process in range(10):
        logs(job, f"I am {process}\n", name=f"stdout {process}")

    shown = page(anns, f"/jobs/{job.pk}/log/?log=stdout+7")

    assert '<option value="stdout 7" selected>' in shown
    assert "I am 7" in shown


def test_logs_of_few_stay_links(anns, new_job, logs):
    job = new_job(status=Status.RUNNING)
    logs(job, "a\n", name="stdout")
    logs(job, "b\n", name="stderr")

    shown = page(anns, f"/jobs/{job.pk}/log/")

    assert "<select" not in shown
    assert 'href="?log=stderr"' in shown


def test_of_many_logs_the_first_are_compared(new_job, logs, monkeypatch):
    monkeypatch.setattr(attempts, "COMPARED_LOGS", 2)
    job = new_job(status=Status.RUNNING)
    for process in range(5):
        logs(job, "x\n", name=f"stdout {process}")

    found = attempts.compare_logs(job, 1, 1)

    assert [difference.log for difference in found] == ["stdout 0", "stdout 1", "Others"]
    assert "3 further logs" in found[-1].note
