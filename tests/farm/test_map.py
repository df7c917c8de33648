"""The map of a run's tasks: what is drawn, how few bytes it is, and when it is sent again."""

import random
import re

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.farm.models import FarmAttempt, FarmBlock, FarmRun, FarmTask, TaskState
from jobs.farm.pages.cells import Cells, cells_of
from jobs.farm.pages.drawing import draw
from jobs.testing import settle
from tests.farm.pages import body, browser, drawn, tasks
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def anns(ann) -> Client:
    return browser(ann)


def test_each_task_is_a_cell_in_its_state(anns, farm):
    run = farm(30)
    run.do(4)
    run.fail(2)
    run.take(3)
    settle()
    html = body(anns, run.run, "tab/tasks/")
    assert drawn(html) == {"done": {0, 1, 2, 3}, "failed": {4, 5}, "computing": {6, 7, 8}, "waiting": set(range(9, 30))}
    label = "Map of the tasks: 4 done (13.3 %), 2 failed (6.7 %), 3 computing (10 %), 21 waiting (70 %)"
    assert f'role="img" aria-label="{label}"' in html
    assert "4 done 13.3 % 2 failed 6.7 % 3 computing 10 % 21 waiting 70 %" in tasks(anns, run.run)


def test_what_is_in_closed_blocks_is_drawn_too(anns, farm):
    run = farm(1203)
    run.do(300)
    run.fail(3)
    run.do(497)
    run.fail(200)
    settle()
    run.take(2)
    settle()
    failed = {300, 301, 302, *range(800, 1000)}
    assert drawn(body(anns, run.run, "tab/tasks/")) == {
        "done": set(range(1000)) - failed,
        "failed": failed,
        "computing": {1000, 1001},
        "waiting": set(range(1002, 1203)),
    }


def test_open_blocks_among_closed_ones_are_drawn_also_where_they_are_many(anns, farm, monkeypatch):
    monkeypatch.setattr("jobs.farm.pages.ranges.MOST_RANGES", 2)
    run = farm(3500)
    late, failed = set(), set()
    for block in range(7):
        taken = run.take(500)
        if block % 2 == 0:
            late.add(taken.pop().number)
        failed.add(taken[-1].number)
        run.say(taken[-1:], TaskState.FAILED)
        run.say(taken[:-1], TaskState.DONE)
    settle()
    assert FarmBlock.objects.filter(closed=True).count() == 3
    assert drawn(body(anns, run.run, "tab/tasks/")) == {
        "computing": late,
        "failed": failed,
        "done": set(range(3500)) - late - failed,
    }
    assert "3,489 done 99.7 % 7 failed 0.2 % 4 computing 0.1 % 0 waiting" in tasks(anns, run.run)


@pytest.mark.parametrize("num_tasks", [1, 7, 499, 500, 501, 2000, 9_999, 10_000])
def test_up_to_ten_thousand_tasks_each_has_a_cell(num_tasks):
    picture = draw(cells_of(None, num_tasks))
    assert picture.size == 1
    assert sum(int(length) for line in picture.lines for length in re.findall(r"h(\d+)", line.d)) == num_tasks
    assert picture.columns * (picture.rows - 1) < num_tasks <= picture.columns * picture.rows


@pytest.mark.parametrize(("num_tasks", "size"), [(10_001, 2), (123_456, 20), (999_999, 100), (1_000_000, 100)])
def test_beyond_that_a_cell_is_some_tasks(num_tasks, size):
    cells = cells_of(None, num_tasks)
    assert (cells.size, len(cells)) == (size, -(-num_tasks // size))
    assert sum(cells.tasks_of(cell) for cell in range(len(cells))) == num_tasks


def test_a_cell_of_many_tasks_shows_the_worst_of_them_and_how_many(anns, farm):
    run = farm(100_000)  # ten to a cell
    run.do(18)
    run.fail(1)
    run.do(1)
    run.do(480)
    run.do(5)
    run.take(10)
    settle()
    html = body(anns, run.run, "tab/tasks/")
    found = drawn(html)
    assert found["failed"] == {1}
    assert found["done"] == {0, *range(2, 50)}
    assert found["computing"] == {50, 51}
    assert len(found["waiting"]) == 10_000 - 52
    assert 'class="jd-cell-failed jd-level-1"' in html
    assert 'class="jd-cell-computing jd-level-2"' in html  # cell 51: five of ten
    assert "A cell is 10 tasks, 2,000 in a row" in html
    assert "504 done 0.5 % 1 failed &lt; 0.1 % 10 computing &lt; 0.1 %" in tasks(anns, run.run)


def test_the_map_of_ten_thousand_tasks_in_any_order_is_a_few_elements_and_bytes():
    chance = random.Random(1)
    states = [chance.randrange(4) for _ in range(10_000)]
    cells = Cells(10_000, 1, *([int(state == wanted) for state in states] for wanted in (1, 2, 3)))
    html = render_to_string("jobs_farm/map.html", {"map": draw(cells)})
    assert html.partition("</svg>")[0].count("<path") == 5
    assert len(html) < 100_000
    found = drawn(html)
    assert [found[name] for name in ("waiting", "computing", "done", "failed")] == [
        {number for number, state in enumerate(states) if state == wanted} for wanted in range(4)
    ]


def test_a_million_tasks_are_shown_with_as_few_queries_and_rows_as_a_hundred(anns, farm):
    def asked(num_tasks: int) -> list[int]:
        run = farm(num_tasks)
        run.do(3)
        run.fail()
        run.take()
        settle()
        counts = []
        for tab in ("", "tab/tasks/", "tab/workers/"):
            with CaptureQueriesContext(connection) as queries:
                body(anns, run.run, tab)
            counts.append(len(queries))
        assert FarmTask.objects.filter(run=run.run).count() <= 500
        return counts

    asked(100)  # the first page of all asks for more
    # The slowest tasks of a long run are looked for in some of its blocks, which are to be chosen first.
    assert [many - few for few, many in zip(asked(100), asked(1_000_000), strict=True)] == [0, 3, 0]


def test_the_map_is_sent_again_when_a_task_has_changed_and_not_before(anns, farm):
    run = farm(30)
    run.do(2)
    settle()

    def live(version=""):
        return anns.get(f"/jobs/{run.run.pk}/live/tasks/?version={version}", headers=HTMX)

    def version() -> str:
        first = live().content.decode()
        return ".".join(re.search(rf'id="{name}"[^>]*data-version="(\w+)"', first)[1] for name in ("jd-head", "jd-tab"))

    # Until the rate of the first two is told no more.
    FarmAttempt.objects.update(rate=0)
    known = version()
    assert live(known).status_code == 204
    run.do(1)
    settle()
    again = live(known).content.decode()
    assert drawn(again)["done"] == {0, 1, 2}


def test_a_new_attempt_shows_its_own_tasks(anns, farm):
    run = farm(5)
    run.do(5)
    assert run.status == "Complete"
    run.run.resubmit()
    settle()
    assert drawn(body(anns, run.run, "tab/tasks/")) == {"waiting": set(range(5))}
    assert FarmRun.objects.get().attempt == 2
