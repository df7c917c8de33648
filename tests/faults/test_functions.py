"""Functions while workers are killed, brokers lose what they had, messages are doubled and the database is away."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from jobs.functions.engine import FunctionEngine
from jobs.functions.models import CallState, FunctionCall, FunctionJob, FunctionWorker
from jobs.functions.tasks import take
from jobs.models import job_rows
from jobs.status import FINAL
from tests.condor.proxy import Proxy
from tests.contract.life.brokers import Broker
from tests.contract.life.drivers import Processes, empty_database
from tests.contract.life.site import history
from tests.contract.worlds.functions import WORKER, FunctionsWorld
from tests.project.site import free_port

pytestmark = pytest.mark.timeout(300)

BROKERS = ("embedded", "redis", "rabbitmq")
PATIENCE = 120.0
QUICK = {"JOBDECK_FUNCTION_LEASE": "3", "JOBDECK_HEARTBEAT_INTERVAL": "0.3"}
ON_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
SHARED_OUT = ("redis", "rabbitmq") if ON_POSTGRES else ("embedded",)
"""What is the same with each database is shown with each broker once."""


class TwoWorkers(FunctionsWorld):
    """Functions in two workers, one of which a test starts itself."""

    name = "two workers"
    processes = {"functions": WORKER, "others": WORKER}

    @classmethod
    def running_engine(cls):
        raise NotImplementedError


TwoWorkers.__abstractmethods__ = frozenset({"not a world of the contract"})


class ATest:
    """One site with functions, and what a test wants of it."""

    def __init__(self, driver: Processes, outside: Path):
        self.driver = driver
        self.keeps = False
        self.user = User.objects.create_user(f"ann {uuid4()}")
        self.world = FunctionsWorld(self.user, outside, FunctionEngine())

    def run(self, function: str, number: int = 1, **arguments) -> list[FunctionJob]:
        """Make jobs and have them run."""
        jobs = [self.world.calling(function, {}, **arguments) for _ in range(number)]
        for job in jobs:
            job.execute()
        return jobs

    def until(self, condition: Callable[[], object], what: str) -> None:
        def holds() -> object:
            # As whatever runs a site's processes does.
            if self.keeps and self.driver.processes["functions"].poll() is not None:
                self.driver.start("functions")
            return condition()

        self.driver.until(holds, what, PATIENCE)

    def until_over(self, *jobs: FunctionJob) -> None:
        ids = [job.pk for job in jobs]
        self.until(
            lambda: not job_rows().filter(pk__in=ids).exclude(status_code__in=FINAL).exists(),
            f"{len(jobs)} jobs are over",
        )
        for job in jobs:
            job.read_row()
            assert history(job).count("Complete") <= 1
            assert not self.world._text(job, "overlaps"), "two processes worked on one attempt"
        assert not FunctionCall.objects.filter(state=CallState.RUNNING, job__in=ids).exists()

    def until_started(self, *jobs: FunctionJob) -> None:
        self.until(lambda: all(self.world.starts(job) for job in jobs), "they have started")

    def ran_once(self, *jobs: FunctionJob) -> None:
        """Check that all ended well, after one start each."""
        self.until_over(*jobs)
        said = {(job.status_display, job.status_message) for job in jobs}
        assert said == {("Complete", "")}, said
        assert [self.world.starts(job) for job in jobs] == [1] * len(jobs)


@pytest.fixture(scope="module", autouse=True)
def transactional_db(django_db_setup, django_db_blocker):
    """Rows are really committed, for other processes to see; tests empty the tables when those have ended."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., ATest]]:
    """Starts a site's processes; they are ended with the test."""
    drivers = []

    def make(broker: Broker, *kinds: str, **variables: str) -> ATest:
        if trouble := broker.trouble():
            pytest.skip(trouble)
        folder = tmp_path / "logs"
        folder.mkdir()
        driver = Processes(broker, folder, TwoWorkers, variables)
        drivers.append(driver)
        for kind in kinds or ("monitor", "worker", "functions"):
            driver.start(kind)
        driver.until(lambda: all(map(driver.alive, driver.processes)), "they are at work")
        outside = tmp_path / "outside"
        outside.mkdir()
        return ATest(driver, outside)

    try:
        yield make
    finally:
        for driver in drivers:
            for process in driver.processes.values():
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
            driver.broker.remove(TwoWorkers.broker_queues)
        empty_database()
        connection.close()


@pytest.mark.parametrize("broker", SHARED_OUT)
def test_workers_and_their_processes_are_killed_while_functions_run(start, broker):
    test = start(Broker(broker), **QUICK)
    repeatable, once = [], []
    for _ in range(12):
        repeatable += test.run("repeatable", seconds=0.5)
        once += test.run("once", seconds=0.5)
    for number in range(12):
        if number >= 6 and FunctionCall.objects.filter(job__in=once, deaths__gt=0).exists():
            break
        if number >= 6:
            once += test.run("once", 2, seconds=0.5)
        test.until(lambda: FunctionCall.objects.filter(state=CallState.RUNNING).exists(), "something runs")
        worker = test.driver.processes["functions"]
        if number % 2:
            worker.kill()
            worker.wait()
            test.driver.start("functions")
        else:
            for child in psutil.Process(worker.pid).children()[:2]:
                child.kill()
        time.sleep(0.4)
    test.until_over(*repeatable, *once)
    assert {job.status_display for job in repeatable} == {"Complete"}
    assert all(test.world.starts(job) >= 1 for job in repeatable)
    assert max(test.world.starts(job) for job in once) <= 1
    for job in once:
        assert job.status_display == "Complete" or "is unknown" in job.status_message, job.status_message
    assert any("is unknown" in job.status_message for job in once), "nothing was killed at work"


class OwnRedis:
    """A Redis of this test, which keeps nothing on disk."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self.start()

    def start(self) -> None:
        options = ["--port", f"{self.port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(["redis-server", *options], cwd=self.folder, stdout=log, stderr=log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class ElsewhereBroker(Broker):
    """A broker at another address than that of `URLS`."""

    address = ""

    @property
    def url(self) -> str:
        return self.address

    def remove(self, queues=()):
        """It goes itself; see `breakable`."""


@contextmanager
def breakable(broker: str, folder: Path):
    """A broker, with what takes it away and empties it, and what brings it back."""
    if broker == "redis":
        redis = OwnRedis(folder)
        place = ElsewhereBroker("redis")
        place.address = f"redis://127.0.0.1:{redis.port}/0"
        try:
            yield place, redis.kill, redis.start
        finally:
            redis.kill()
    elif broker == "rabbitmq":
        with Proxy("127.0.0.1", 5672) as proxy:
            place = ElsewhereBroker("rabbitmq")
            place.address = f"amqp://guest:guest@127.0.0.1:{proxy.port}//"
            behind = Broker("rabbitmq", place.queue)

            def away() -> None:
                proxy.refuse()
                behind.lose_messages(FunctionsWorld.broker_queues)

            try:
                yield place, away, proxy.listen
            finally:
                proxy.refuse()
                behind.remove(FunctionsWorld.broker_queues)
    else:
        place = Broker("embedded")
        yield place, lambda: place.lose_messages(FunctionsWorld.broker_queues), lambda: None


@pytest.mark.parametrize("broker", SHARED_OUT)
def test_a_broker_that_is_started_anew_without_its_messages_loses_no_job(start, broker, tmp_path):
    with breakable(broker, tmp_path) as (place, away, back):
        test = start(place, **QUICK)
        test.keeps = True
        jobs = test.run("once", 12, seconds=0.3)
        test.until_started(jobs[0])
        away()
        began = time.monotonic()
        more = test.run("once", 4, seconds=0)
        assert time.monotonic() - began < 10, "jobs are made also without a broker"
        time.sleep(1)
        back()
        test.ran_once(*jobs, *more)


@pytest.mark.parametrize("broker", SHARED_OUT)
def test_doubled_messages_double_no_job(start, broker):
    # The embedded broker has one reader for each queue.
    workers = ("functions",) if broker == "embedded" else ("functions", "others")
    test = start(Broker(broker), "monitor", "worker", *workers)
    jobs = []
    with test.driver.broker.connection() as sender:
        for _ in range(20):
            jobs += test.run("once", seconds=0)
            for _ in range(3):
                take.apply_async(["tests"], queue=f"{test.driver.broker.queue}.tests", connection=sender)
    test.ran_once(*jobs)


@contextmanager
def behind_a_proxy() -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database, and the URL of the database behind it."""
    place = settings.DATABASES["default"]
    with Proxy(place["HOST"], int(place["PORT"] or 5432)) as proxy:
        url = urlsplit(os.environ["DATABASE_URL"])
        netloc = f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{proxy.port}"
        yield proxy, url._replace(netloc=netloc).geturl()


@pytest.mark.on_postgresql
def test_functions_that_run_through_ten_seconds_without_a_database_end_well(start):
    with behind_a_proxy() as (proxy, database_url):
        test = start(Broker("redis"), DATABASE_URL=database_url)
        jobs = [*test.run("once", 3, seconds=4), *test.run("repeatable", 1, seconds=4)]
        test.until_started(*jobs)
        proxy.refuse()
        time.sleep(10)
        proxy.listen()
        later = test.run("once", 2, seconds=0)
        test.ran_once(*jobs, *later)


@pytest.mark.on_postgresql
def test_the_late_result_of_a_worker_that_stood_still_is_refused(start):
    test = start(Broker("redis"), **QUICK)
    [job] = test.run("repeatable", seconds=3)
    test.until_started(job)
    stopped = psutil.Process(test.driver.processes["functions"].pid)
    tree = [stopped, *stopped.children(recursive=True)]
    for process in tree:
        process.suspend()
    test.driver.start("others")
    test.until(lambda: test.world.starts(job) == 2, "another worker has it")
    taken = FunctionCall.objects.get(job=job)
    # The worker itself later: what it finds when it looks is what it has to end.
    for process in tree[1:]:
        process.resume()
    test.until(lambda: job.cached_status == "Complete", "it is complete")
    test.until(lambda: "was ended or given to another worker" in test.driver.said(), "the late result came")
    stopped.resume()
    ended = FunctionCall.objects.get(job=job)
    assert (ended.worker, ended.tries) == (taken.worker, 2)
    assert history(job).count("Complete") == 1


@pytest.mark.on_postgresql
def test_a_worker_that_stood_still_ends_what_it_ran_as_soon_as_it_goes_on(start):
    test = start(Broker("redis"), **QUICK)
    [job] = test.run("repeatable", seconds=60)
    test.until_started(job)
    worker = psutil.Process(test.driver.processes["functions"].pid)
    worker.suspend()  # alone: what runs there goes on
    test.driver.start("others")
    test.until(lambda: test.world.starts(job) == 2, "another worker has it")
    first, second = map(int, test.world._text(job, "starts").split())
    assert psutil.pid_exists(first)
    worker.resume()
    test.until(lambda: not psutil.pid_exists(first), "it ends what it ran")
    assert psutil.pid_exists(second)
    assert FunctionCall.objects.get(job=job).tries == 2


@pytest.mark.on_postgresql
def test_a_worker_with_another_version_of_a_function_leaves_its_jobs_to_those_that_have_it(start):
    test = start(Broker("redis"), "monitor", "worker")
    test.driver.start("others", JOBDECK_TEST_VERSION="another")
    test.until(lambda: FunctionWorker.objects.exists(), "the other worker is there")
    [other] = test.run("succeed")
    [job] = test.run("versioned")
    test.ran_once(other)
    time.sleep(2)
    assert job.cached_status == "Submitted"
    test.driver.start("functions")
    test.ran_once(job)


@pytest.mark.on_postgresql
def test_a_worker_that_is_told_to_end_ends_what_it_runs_and_takes_nothing_more(start):
    test = start(Broker("redis"))
    running = test.run("once", 4, seconds=2)
    test.until_started(*running)
    worker = test.driver.processes["functions"]
    worker.terminate()
    time.sleep(0.5)
    [waits] = test.run("succeed")
    assert worker.wait(20) == 0, test.driver.said()
    test.ran_once(*running)
    assert waits.cached_status == "Submitted"
    assert not FunctionWorker.objects.exists()
    test.driver.start("functions")
    test.ran_once(waits)


@pytest.mark.on_postgresql
def test_a_worker_whose_database_takes_questions_and_never_answers_ends_what_it_runs_before_others_take_it(start):
    with behind_a_proxy() as (proxy, database_url):
        test = start(Broker("redis"), "monitor", "worker", **{**QUICK, "JOBDECK_FUNCTION_LEASE": "6"})
        test.driver.start("functions", DATABASE_URL=database_url)
        test.until(lambda: FunctionWorker.objects.exists(), "the worker is there")
        [job] = test.run("repeatable", seconds=14)
        test.until_started(job)
        proxy.silent = True
        test.driver.start("others")
        test.until(lambda: test.world.starts(job) == 2, "another worker has it")
        proxy.silent = False
        test.until_over(job)  # which checks that no two processes worked on it at a time
        assert job.status_display == "Complete"
