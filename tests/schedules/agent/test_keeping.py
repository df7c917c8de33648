"""While the site is away outputs are kept, within bounds: the oldest go first, and that is said."""

import pytest

from jobs.schedules.agent.records import LeftOut, Open
from jobs.schedules.agent.store import Store
from tests.schedules.agent.patience import eventually
from tests.schedules.agent.site import SECOND


def test_the_oldest_outputs_go_when_there_is_no_room_and_the_site_hears_of_it(site, agent):
    schedule = site.schedule(shell="head -c 40000 /dev/zero | tr '\\0' x; echo $JOBDECK_EXECUTION >> ran")
    agent.start("--keep-mb", "0.1")
    eventually(lambda: site.of(schedule))
    site.away = True
    count = len(agent.lines("ran"))
    eventually(lambda: len(agent.lines("ran")) >= count + 4)
    eventually(lambda: "thrown away" in agent.said)
    site.away = False
    site.unschedule()
    eventually(lambda: set(agent.lines("ran")) <= set(site.accepted))
    ones = [one for one in site.of(schedule) if one["state"] == "ran"]
    gone = [one for one in ones if not one["stdout"]]
    assert gone
    for one in gone:
        assert one["reason"] == "its output was thrown away: there was no room for more while the site was away"
        assert (one["stdout_size"], one["exit_code"]) == (40_000, 0)
    kept = [one for one in ones if one["stdout"] and one["due"] > gone[0]["due"]]
    assert min(one["due"] for one in kept) > max(one["due"] for one in gone)
    eventually(lambda: site.last_sync()["dropped"] == len(gone))


def test_an_output_that_nobody_took_in_time_goes(site, agent):
    schedule = site.schedule("echo", "out", every="every 1 hours", start=site.now() - 3599 * SECOND)
    agent.start("--keep-hours", "0.0003")
    site.away = True
    eventually(lambda: "outputs of 1 executions" in agent.said)
    site.away = False
    [one] = eventually(lambda: site.of(schedule))
    assert (one["stdout"], one["stdout_size"], one["exit_code"]) == ("", 4, 0)
    assert one["reason"] == "its output was thrown away: the site did not take it in time"


def test_hundreds_of_outputs_are_delivered_in_reports_of_a_size_that_the_site_takes(site, agent):
    agent.start()
    site.away = True
    agent.kill()
    store = Store(agent.data / "agent.sqlite3")
    ones = [execution(number) for number in range(1200)]
    store.decide({}, ones, [], 0)
    store.end({one.id: ended("x" * 30_000) for one in ones}, site.now())
    store.close()
    site.away = False
    agent.start()
    eventually(lambda: len(site.accepted) == 1200)
    assert max(site.taken.values()) == 1
    sizes = [len(what["executions"]) for purpose, what in site.requests if purpose == "report"]
    assert max(sizes) <= 500
    assert max(sizes) * 30_000 < 8_000_000


# --- the store itself


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "agent.sqlite3")
    yield store
    store.close()


def execution(number: int) -> Open:
    return Open(f"00000000-0000-0000-0000-{number:012}", "a schedule", number, False, {}, "this boot")


def ended(stdout: str = "", **more) -> dict:
    return {
        "exit_code": 0,
        "reason": "",
        "started": 1,
        "completed": 2,
        "stdout": stdout,
        "stdout_size": len(stdout),
        **more,
    }


def test_what_was_decided_is_not_decided_again(store):
    one = execution(1)
    store.decide({"a schedule": 1}, [one], [], 5)
    store.end({one.id: ended("first")}, 6)
    store.decide({"a schedule": 0}, [one], [LeftOut(one.id, "a schedule", 1, "missed", "late")], 7)
    store.end({one.id: ended("second")}, 8)
    assert store.open() == []
    [report] = store.reports(10)
    assert (report["state"], report["stdout"]) == ("ran", "first")


def test_a_mark_never_goes_back(store):
    store.take_schedules([{"id": "a schedule"}], 1)
    store.decide({"a schedule": 7}, [], [], 7)
    store.decide({"a schedule": 5}, [], [], 8)
    store.take_schedules([], 2)
    store.take_schedules([{"id": "a schedule"}], 3)
    assert store.schedules() == [({"id": "a schedule"}, 7)]


def test_of_too_many_ends_the_oldest_go_altogether(store):
    ones = [execution(number) for number in range(5)]
    store.decide({}, ones, [], 0)
    for number, one in enumerate(ones):
        store.end({one.id: ended("out")}, number)
    assert store.throw_away(before=0, most_bytes=1000, most_ends=3) == 2
    assert [report["due"] for report in store.reports(10)] == [2, 3, 4]
    assert (store.kept_bytes, store.fact("dropped"), store.unsent()) == (9, 2, 3)


def test_what_the_site_has_is_forgotten_with_its_output(store):
    one = execution(1)
    store.decide({}, [one], [], 0)
    store.forget([one.id])
    assert store.open() == [one], "it has not ended"
    store.end({one.id: ended("out")}, 1)
    assert store.kept_bytes == 3
    store.forget([one.id])
    assert (store.unsent(), store.kept_bytes) == (0, 0)


def test_the_reason_of_one_whose_output_goes_keeps_what_it_said(store):
    one = execution(1)
    store.decide({}, [one], [], 0)
    store.end({one.id: ended("out", reason="stopped")}, 1)
    store.throw_away(before=2, most_bytes=1000, most_ends=10)
    [report] = store.reports(10)
    assert report["reason"] == "stopped; its output was thrown away: the site did not take it in time"
