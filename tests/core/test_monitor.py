"""The monitor: what engines report, what it makes of silence, and who leads."""

import itertools
import threading
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs import intents
from jobs.conf import conf
from jobs.engine import EngineUnavailable, Poll, Report
from jobs.errors import StatusNotRefreshed
from jobs.models import Action, Intent, JobEvent, Scheduler, job_rows
from jobs.monitor import leadership
from jobs.monitor.polling import is_due, poll_once
from jobs.monitor.process import Monitor, watch
from jobs.monitor.sweep import Sweep, mark_due_looks, send_intents, stop_overdue
from jobs.status import Status
from jobs.testing import FakeEngine, settle
from jobs.types import JobType, Plugin, Service, register, unregister
from tests.exampleapp.models import EchoJob, FakeJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheduler(fake):
    """A function that reads the fake engine's scheduler row."""
    fake.prepare()
    return lambda: Scheduler.objects.get(name="fake")


@pytest.fixture
def tick(fake, scheduler):
    """A function that does one round of the scheduler's watch."""
    return lambda: watch(scheduler(), fake)


# --- reports


def test_what_the_engine_reports_is_written_with_its_facts(fake_job, fake, tick, row, clock, history):
    job = fake_job()
    fake.start(job)
    started = clock()
    tick()
    clock.move(30)
    fake.finish(job, exit_code=3)
    tick()
    now = row(job)
    assert (now["status_code"], now["exit_code"]) == (Status.ERROR, 3)
    assert (now["start_time"], now["completion_time"]) == (started, clock())
    assert history(job) == [("PEN", "SUB"), ("SUB", "RUN"), ("RUN", "ERR")]


def test_where_nothing_changed_nothing_is_written_about_jobs_however_many_there_are(fake_job, fake, tick, clock):
    few = [fake_job() for _ in range(2)]
    for job in few:
        fake.start(job)
    tick()

    def statements():
        clock.move(1)
        with CaptureQueriesContext(connection) as queries:
            tick()
        return [query["sql"] for query in queries]

    before = statements()
    assert not [sql for sql in before if sql.startswith(("UPDATE", "INSERT", "DELETE")) and '"jobs_job"' in sql[:40]]
    assert not [sql for sql in before if sql.startswith("INSERT")]
    for _ in range(8):
        fake.start(fake_job())
    tick()
    assert len(statements()) == len(before)


def test_counts_of_parts_that_change_are_news(fake_job, fake, tick, row, clock, monkeypatch):
    job = fake_job()
    for counts in ({"RUN": 3}, {"RUN": 2, "COM": 1}):
        report = Report(job.tag, Status.VARIOUS, counts=counts)
        monkeypatch.setattr(fake, "poll", lambda *args, report=report: Poll([report]))
        clock.move(1)
        tick()
        assert row(job)["resources"] == {"counts": counts}


def test_a_report_about_a_job_that_was_not_asked_for_is_ignored(fake_job, fake, tick, row, clock, monkeypatch):
    job = fake_job()
    strange = [Report("someone-else.123.1", Status.ERROR), Report(job.tag + "0", Status.ERROR)]
    monkeypatch.setattr(fake, "poll", lambda *args: Poll(strange))
    clock.move(1)
    tick()
    assert row(job)["status_code"] == Status.SUBMITTED


def test_an_answer_about_an_attempt_that_was_resubmitted_meanwhile_is_refused(
    fake_job, fake, scheduler, row, monkeypatch
):
    job = fake_job()
    fake.start(job)
    poll = fake.poll

    def slow(*args):
        answer = poll(*args)
        job_rows().filter(pk=job.pk).update(status_code=Status.ERROR)
        intents.want(job, Action.RESUBMIT)
        return answer

    monkeypatch.setattr(fake, "poll", slow)
    poll_once(scheduler(), fake)
    assert (row(job)["status_code"], row(job)["attempt"]) == (Status.PENDING, 2)


# --- silence


def test_a_job_that_is_missed_twice_and_unknown_to_the_history_is_an_error_that_says_so(
    fake_job, fake, tick, row, clock
):
    job = fake_job()
    fake.lose(job)
    clock.move(1)
    tick()
    assert (row(job)["status_code"], row(job)["missed"]) == (Status.SUBMITTED, 1)
    clock.move(1)
    tick()
    assert row(job)["status_code"] == Status.ERROR
    assert row(job)["status_message"] == "fake does not know this job any more; outcome unknown."


def test_a_job_that_is_missed_twice_but_in_the_history_ends_as_the_history_says(
    fake_job, fake, tick, row, clock, monkeypatch
):
    job = fake_job()
    fake.lose(job)
    past = [Report(job.tag, Status.COMPLETE, exit_code=0, finished=clock())]
    monkeypatch.setattr(fake, "resolve", lambda scheduler, handles: past)
    for _ in range(2):
        clock.move(1)
        tick()
    assert (row(job)["status_code"], row(job)["exit_code"]) == (Status.COMPLETE, 0)


def test_a_job_that_is_back_after_it_was_missed_once_counts_as_never_missed(fake_job, fake, tick, row, clock):
    job = fake_job()
    for known in (False, True, False):
        fake.attempts[job.tag].known = known
        clock.move(1)
        tick()
    assert (row(job)["status_code"], row(job)["missed"]) == (Status.SUBMITTED, 1)


def test_absence_from_an_answer_that_is_not_full_means_nothing(fake_job, fake, tick, row, clock, monkeypatch):
    job = fake_job()
    monkeypatch.setattr(fake, "poll", lambda *args: Poll([], full=False))
    for _ in range(5):
        clock.move(1)
        tick()
    assert (row(job)["status_code"], row(job)["missed"]) == (Status.SUBMITTED, 0)


def test_while_the_history_cannot_be_asked_a_missed_job_stays_as_it_is(fake_job, fake, tick, row, clock, monkeypatch):
    job = fake_job()
    fake.lose(job)

    def away(*args):
        raise EngineUnavailable("no history today")

    with monkeypatch.context() as patched:
        patched.setattr(fake, "resolve", away)
        for _ in range(3):
            clock.move(61)
            tick()
        assert row(job)["status_code"] == Status.SUBMITTED
        assert Scheduler.objects.get().last_error == "no history today"
    clock.move(61)
    tick()
    assert row(job)["status_code"] == Status.ERROR


# --- an engine that is away


def test_an_engine_out_of_reach_changes_no_job_and_is_asked_ever_less_until_it_answers(
    fake_job, fake, tick, scheduler, row, clock
):
    Scheduler.objects.filter(pk=scheduler().pk).update(least_interval=1.0)
    job = fake_job()
    fake.start(job)
    fake.away = True
    pauses = []
    clock.move(2)
    for _ in range(9):
        tick()
        pauses.append((scheduler().next_poll - clock()).total_seconds())
        clock.move(pauses[-1])
    assert row(job)["status_code"] == Status.SUBMITTED
    assert (scheduler().reachable, scheduler().last_error) == (False, "the fake engine is away")
    assert pauses == sorted(pauses)
    assert pauses[:3] == [2, 4, 8]
    assert pauses[-1] == 60
    fake.away = False
    tick()
    assert row(job)["status_code"] == Status.RUNNING
    assert (scheduler().reachable, scheduler().failures) == (True, 0)


def test_an_engine_out_of_reach_is_not_asked_before_its_pause_is_over_even_if_somebody_wants_a_look(
    fake_job, fake, tick, scheduler, clock, monkeypatch
):
    Scheduler.objects.filter(pk=scheduler().pk).update(least_interval=1.0)
    fake_job()
    asked = []

    def away(*args):
        asked.append(clock())
        raise EngineUnavailable("away")

    monkeypatch.setattr(fake, "poll", away)
    clock.move(2)
    tick()
    for _ in range(3):
        intents.look_soon([scheduler().pk])
        clock.move(0.5)
        tick()
    assert len(asked) == 1


# --- politeness


def test_a_scheduler_is_asked_once_for_all_its_jobs(fake_job, fake, tick, clock):
    for _ in range(5):
        fake_job()
    before = fake.polls
    clock.move(1)
    tick()
    assert fake.polls == before + 1


def test_a_scheduler_without_jobs_is_not_asked(fake, tick, scheduler):
    tick()
    assert fake.polls == 0


def test_the_least_interval_is_kept_also_when_somebody_wants_a_look(fake_job, fake, tick, scheduler, clock):
    Scheduler.objects.filter(pk=scheduler().pk).update(least_interval=10.0)
    job = fake_job()
    before = fake.polls
    for _ in range(9):
        clock.move(1)
        assert job.status == "Submitted"  # asks for a look
        tick()
    assert fake.polls == before
    clock.move(1.1)
    tick()
    assert fake.polls == before + 1
    assert not scheduler().look_wanted


@pytest.mark.django_db(transaction=True)
def test_a_look_that_is_wanted_comes_before_the_next_one_is_due(fake_job, fake, tick, scheduler, clock, monkeypatch):
    monkeypatch.setattr(fake, "poll_interval", 30.0)
    job = fake_job()
    clock.move(40)
    tick()
    before = fake.polls
    clock.move(5)
    tick()
    assert fake.polls == before
    intents.look_soon([row_id(job)])
    tick()
    assert fake.polls == before + 1


def row_id(job):
    return job_rows().values_list("scheduler_id", flat=True).get(pk=job.pk)


def test_a_scheduler_never_asked_before_is_due(scheduler):
    assert is_due(scheduler())


# --- fresh looks


def test_update_status_waits_for_an_answer_that_was_asked_for_after_it(fake_job, fake, tick, clock, monkeypatch):
    job = fake_job()
    fake.start(job)
    intents.ask_for_refresh(job)
    clock.move(1)
    tick()
    refresh = Intent.objects.get(action=Action.REFRESH)
    assert refresh.outcome == "done"
    assert job.cached_status == "Running"


def test_update_status_raises_when_no_monitor_answers_and_says_what_is_wrong(fake_job, fake, scheduler):
    job = fake_job()
    with pytest.raises(StatusNotRefreshed, match=f"job {job.pk} .*no fresh status within 0.2 s; is the monitor"):
        job.update_status(timeout=0.2)
    Scheduler.objects.update(last_error="the pool is down", failures=1)
    with pytest.raises(TimeoutError, match="fake says: the pool is down"):
        job.update_status(timeout=0.2)


def test_a_refresh_is_not_answered_by_a_failed_question(fake_job, fake, tick, clock):
    job = fake_job()
    intents.ask_for_refresh(job)
    fake.away = True
    clock.move(1)
    tick()
    assert Intent.objects.get(action=Action.REFRESH).closed is None


def test_a_look_that_a_callback_asked_for_later_is_made_then(fake_job, scheduler, clock, row):
    job = fake_job()
    Scheduler.objects.update(look_wanted=None)
    intents.look_again_at(job.pk, clock.time)
    clock.move(-1)
    mark_due_looks()
    assert not scheduler().look_wanted
    clock.move(2)
    mark_due_looks()
    assert scheduler().look_wanted
    assert row(job)["look_at"] is None


# --- leadership


@pytest.fixture
def as_monitor(monkeypatch):
    """A function that lets this process be another monitor from now on."""
    return lambda name: monkeypatch.setattr(leadership, "holder", lambda: name)


def test_of_two_monitors_one_leads_and_the_other_takes_over_when_the_lease_has_run_out(scheduler, clock, as_monitor):
    as_monitor("first")
    assert leadership.lead(scheduler().pk)
    as_monitor("second")
    clock.move(conf.LEASE - 1)
    assert not leadership.lead(scheduler().pk)
    clock.move(2)
    assert leadership.lead(scheduler().pk)
    as_monitor("first")
    assert not leadership.lead(scheduler().pk)


def test_a_monitor_that_goes_on_keeps_its_lease(scheduler, clock, as_monitor):
    as_monitor("first")
    for _ in range(20):
        assert leadership.lead(scheduler().pk)
        clock.move(conf.LEASE / 3)
    as_monitor("second")
    assert not leadership.lead(scheduler().pk)


def test_a_monitor_keeps_its_lease_while_its_engine_takes_long_to_answer(scheduler, clock, as_monitor):
    as_monitor("first")
    leadership.lead(scheduler().pk)
    for _ in range(20):
        clock.move(conf.LEASE / 3)
        leadership.renew()
    as_monitor("second")
    leadership.renew()
    assert not leadership.lead(scheduler().pk)


def test_a_monitor_that_ends_leaves_its_schedulers_to_others_at_once(scheduler, as_monitor):
    as_monitor("first")
    leadership.lead(scheduler().pk)
    leadership.resign()
    as_monitor("second")
    assert leadership.lead(scheduler().pk)


def test_a_scheduler_of_another_host_is_not_led_here(scheduler):
    Scheduler.objects.update(host="elsewhere")
    assert not leadership.lead(scheduler().pk)


def test_what_a_former_leader_was_answered_is_not_written(
    fake_job, fake, scheduler, row, clock, as_monitor, monkeypatch
):
    job = fake_job()
    leadership.resign()
    as_monitor("first")
    leadership.lead(scheduler().pk)
    fake.finish(job)
    poll = fake.poll

    def slow(*args):
        answer = poll(*args)
        clock.move(conf.LEASE + 1)
        as_monitor("second")
        assert leadership.lead(scheduler().pk)
        as_monitor("first")
        return answer

    monkeypatch.setattr(fake, "poll", slow)
    before = scheduler().last_poll
    assert poll_once(scheduler(), fake) is False
    assert row(job)["status_code"] == Status.SUBMITTED
    assert scheduler().last_poll == before


def test_a_slow_answer_is_written_as_long_as_nobody_else_took_over(fake_job, fake, scheduler, row, clock, monkeypatch):
    job = fake_job()
    fake.finish(job)
    poll = fake.poll

    def slow(*args):
        clock.move(conf.LEASE + 1)
        return poll(*args)

    monkeypatch.setattr(fake, "poll", slow)
    assert poll_once(scheduler(), fake)
    assert row(job)["status_code"] == Status.COMPLETE


# --- the sweep


@pytest.fixture
def messages(monkeypatch):
    """The wake-ups that are sent to workers, as (task, argument)."""
    sent = []
    monkeypatch.setattr("jobs.monitor.sweep._send", lambda task, argument: sent.append((task.name, argument)))
    return sent


def test_an_intent_whose_message_was_lost_is_sent_again_ever_less_often(fake_job, messages, clock):
    fake_job(submitted=False).execute()
    sent_after = []
    for _ in range(1200):
        send_intents()
        sent_after += [clock.time] * len(messages)
        messages.clear()
        clock.move(0.25)
    pauses = [(b - a).total_seconds() for a, b in itertools.pairwise(sent_after)]
    assert pauses[0] == conf.RESEND_AFTER
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60


def test_intents_of_one_scheduler_share_messages(fake_job, messages):
    for _ in range(12):
        fake_job(submitted=False).execute()
    send_intents()
    assert sorted(len(ids) for _, ids in messages) == [2, 5, 5]


def test_a_look_by_a_hook_is_not_sent_again_at_every_sweep_while_no_worker_is_there(new_job, messages, clock):
    job = new_job("ECHO")
    job_rows().filter(pk=job.pk).update(status_code=Status.RUNNING)
    sweep = Sweep()
    for _ in range(8):
        sweep.once()
        clock.move(0.25)
    assert messages == [("jobs.look_by_hook", job.pk)]
    clock.move(conf.RESEND_AFTER)
    sweep.once()
    assert len(messages) == 2


def test_results_to_process_are_sent_until_a_worker_has_them(new_job, messages, clock):
    job = new_job(process_results_function="tests.exampleapp.results.count")
    job_rows().filter(pk=job.pk).update(status_code=Status.RESULTS_READY)
    sweep = Sweep()
    for _ in range(4):
        sweep.once()
        clock.move(0.25)
    assert messages == [("jobs.process_results", job.pk)]
    clock.move(conf.RESEND_AFTER)
    sweep.once()
    assert len(messages) == 2
    job_rows().filter(pk=job.pk).update(claim="a worker", claim_expires=clock())
    clock.move(-1)
    sweep.once()
    assert len(messages) == 2
    clock.move(100)
    sweep.once()
    assert len(messages) == 3


def test_a_broker_that_is_away_does_not_end_the_sweep(fake_job, monkeypatch, caplog):
    from kombu.exceptions import OperationalError

    from jobs import tasks

    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.carry_out, "apply_async", refuse)
    fake_job(submitted=False).execute()
    Sweep().once()
    assert "the broker does not take messages: connection refused" in caplog.text
    assert Intent.objects.open().count() == 1


def test_a_job_over_its_timeout_is_stopped_where_its_engine_does_not_see_to_it(fake_job, fake, row, clock):
    job = fake_job(timeout=60)
    fake.start(job)
    settle()
    clock.move(59)
    stop_overdue()
    settle()
    assert row(job)["status_code"] == Status.RUNNING
    clock.move(2)
    settle()
    assert row(job)["status_code"] == Status.ABORTED
    assert row(job)["status_message"] == "It ran longer than its 60 seconds."


def test_a_job_over_its_timeout_that_is_being_deleted_does_not_stop_the_sweep(fake_job, fake, clock):
    job = fake_job(timeout=60)
    fake.start(job)
    settle()
    fake.away = True
    job.delete()
    clock.move(61)
    stop_overdue()
    assert [intent.action for intent in Intent.objects.open()] == [Action.DELETE]


# --- the process


class _Slow(FakeEngine):
    name = "slow"

    def __init__(self):
        super().__init__()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def prepare(self):
        Scheduler.objects.get_or_create(name="slow", defaults={"type": "slow", "least_interval": 0.0})

    def choose_scheduler(self, job):
        self.prepare()
        return Scheduler.objects.get(name="slow")

    def poll(self, *args):
        self.asked.set()
        self.go_on.wait(30)
        return super().poll(*args)


@pytest.fixture
def slow():
    """An engine for `EchoJob` whose answer does not come until the test lets it."""
    engine = _Slow()
    usual = next(job_type for job_type in _types() if job_type.name == "ECHO")
    unregister(usual)
    slow_type = JobType(name="ECHO", label="Echo", model=EchoJob, engine=engine)
    register(slow_type)
    yield engine
    engine.go_on.set()
    unregister(slow_type)
    register(usual)


def _types():
    from jobs.types import job_types

    return job_types()


@pytest.fixture
def running_monitor():
    """A monitor in a thread of this process, ended with the test."""
    monitor = Monitor()

    def run():
        try:
            monitor.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    yield lambda: thread.start() or monitor
    monitor.stop()
    if thread.ident is not None:
        thread.join(20)
    assert not thread.is_alive()


def eventually(condition, within=15.0):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        time.sleep(0.02)


def _submitted(job, engine, external_id):
    """As if a worker had submitted it, without a look."""
    engine.submit(job)
    scheduler = engine.choose_scheduler(job)
    job_rows().filter(pk=job.pk).update(status_code="SUB", external_id=external_id, scheduler=scheduler)


@pytest.mark.django_db(transaction=True)
def test_a_slow_engine_delays_no_other(fake, slow, new_job, running_monitor, messages, row):
    held, free = new_job("ECHO"), new_job("FAKE")
    _submitted(held, slow, "s")
    _submitted(free, fake, "f")
    running_monitor()
    assert slow.asked.wait(15)
    fake.finish(free)
    eventually(lambda: row(free)["status_code"] == Status.COMPLETE)
    assert row(held)["status_code"] == Status.SUBMITTED
    slow.finish(held)
    slow.go_on.set()
    eventually(lambda: row(held)["status_code"] == Status.COMPLETE)


@pytest.mark.django_db(transaction=True)
def test_a_bug_of_one_engine_or_plugin_does_not_end_the_watch_over_others(
    fake, slow, new_job, running_monitor, messages, row, monkeypatch, caplog
):
    def broken(*args):
        raise ZeroDivisionError("a bug")

    plugin = Plugin("broken", services=[Service("counts", broken, 0.0)])
    register(plugin)
    try:
        held, free = new_job("ECHO"), new_job("FAKE")
        _submitted(held, slow, "s")
        _submitted(free, fake, "f")
        fake.finish(free)
        monkeypatch.setattr(slow, "poll", broken)
        monkeypatch.setattr(slow, "prepare", broken)
        running_monitor()
        eventually(lambda: row(free)["status_code"] == Status.COMPLETE)
        eventually(lambda: "service counts of broken" in caplog.text and "engine slow: prepare" in caplog.text)
        assert row(held)["status_code"] == Status.SUBMITTED
    finally:
        unregister(plugin)


@pytest.mark.django_db(transaction=True)
def test_a_monitor_shows_signs_of_life_and_takes_them_away_when_it_ends(fake, running_monitor, messages):
    from jobs.models import Heartbeat

    monitor = running_monitor()
    eventually(lambda: Heartbeat.objects.alive().filter(kind="monitor").exists())
    monitor.stop()
    eventually(lambda: not Heartbeat.objects.exists())
    eventually(lambda: not Scheduler.objects.exclude(lease_holder="").exists())


def test_no_event_is_written_about_a_job_that_did_not_move(fake_job, fake, tick, clock):
    job = fake_job()
    fake.attempts[job.tag].report = Report(job.tag, Status.SUBMITTED, progress=5.0)
    clock.move(1)
    tick()
    assert JobEvent.objects.filter(job=job).count() == 1
    assert isinstance(job, FakeJob)
