"""Three agents of a real site: one is cut off, one is killed, one has a wrong clock, and the site is killed too.

In the end every due time is accounted for, no command was started twice for one, no output is lost, and times are right.
"""

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.condor.proxy import Proxy
from tests.faults import schedules
from tests.project.conftest import new_site
from tests.project.site import Site, until
from tests.schedules.running import RunningAgent

pytestmark = [pytest.mark.timeout(400)]
SECONDS = 60
"""For which the schedules are due."""
WRONG_BY = 600
"""Seconds."""
# A wrong clock is one that the host shows; the one that only counts is right on every host.
FAKETIME = ("env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1", "faketime", "-f", f"+{WRONG_BY}")
SEED = int(os.environ.get("JOBDECK_AGENTS_SEED", "9"))

MAKE = """
import datetime, json, sys
from django.contrib.auth.models import Permission, User
from jobs.schedules.editing import create_schedule
from jobs.schedules.enrolment import make_enrol_token
user = User.objects.create_user("ann")
user.user_permissions.add(Permission.objects.get(codename="run_commands"))
print(json.dumps([make_enrol_token(None)[1] for _ in range(3)]))
"""
ONE_TOKEN = """
import json
from jobs.schedules.enrolment import make_enrol_token
print(json.dumps(make_enrol_token(None)[1]))
"""
SCHEDULE = """
import datetime
from django.contrib.auth.models import User
from jobs import clock
from jobs.schedules.editing import create_schedule
user = User.objects.get(username="ann")
end = clock.now() + datetime.timedelta(seconds={seconds})
for name, frequency, argv in {commands}:
    create_schedule(
        user, name=name, frequency=frequency, argv=argv, on_names=["cut", "killed", "wrong"], end=end, keep=10000, timeout=20
    )
"""
HOW = """
import json
from jobs.schedules.models import Execution
names = ("schedule__name", "agent__name", "due", "state", "reason", "started", "completed", "exit_code", "stdout", "id")
rows = Execution.objects.filter(agent__name__in=["cut", "killed", "wrong"]).order_by("due").values_list(*names)
print(json.dumps([[*(str(one) if one is not None else None for one in row[:2]), row[2].timestamp(), *row[3:5],
    row[5] and row[5].timestamp(), row[6] and row[6].timestamp(), *row[7:9], str(row[9])] for row in rows]))
"""
PROGRAM = 'echo "$JOBDECK_EXECUTION" >> {ran}; sleep {takes}; echo "out $JOBDECK_EXECUTION"'


@pytest.fixture
def site(tmp_path):
    with new_site(tmp_path) as site:
        yield site.start("--without-examples")


@pytest.fixture
def proxy(site):
    with Proxy("127.0.0.1", site.port) as proxy:
        yield proxy


@pytest.fixture
def agents(site, proxy, tmp_path):
    if shutil.which("faketime") is None:
        pytest.skip("a wrong clock needs faketime · 'make services' brings it")
    tokens = json.loads(site.python(MAKE))
    made = {
        "cut": RunningAgent(tmp_path / "cut", "cut"),
        "killed": RunningAgent(tmp_path / "killed", "killed"),
        "wrong": RunningAgent(tmp_path / "wrong", "wrong", before=FAKETIME),
    }
    try:
        for token, (name, agent) in zip(tokens, made.items(), strict=True):
            agent.enrol(f"http://127.0.0.1:{proxy.port if name == 'cut' else site.port}", token)
            agent.start()
            until(lambda agent=agent: "ready: " in agent.log)
        yield made
    finally:
        for agent in made.values():
            agent.end()


POINTS_MAKE = """
from django.contrib.auth.models import Permission, User
from jobs.schedules.editing import create_schedule
user = User.objects.create_user("ann")
user.user_permissions.add(Permission.objects.get(codename="run_commands"))
command = ["sh", "-c", {program!r}]
create_schedule(user, name="command", argv=command, frequency="every 1 seconds", on_names=["local"], keep=10000)
what = {{"job_type": "COMMAND", "job_values": {{"command": ["true"]}}, "overlap": "run"}}
create_schedule(user, name="job", frequency="every 2 seconds", keep=10000, **what)
"""
POINTS_HOW = """
import json
from jobs.schedules.editing import pause
from jobs.schedules.models import Execution, Schedule
if {pause}:
    for schedule in Schedule.objects.filter(enabled=True):
        pause(schedule)
rows = Execution.objects.select_related("job", "schedule").order_by("due")
print(json.dumps([[one.schedule.name, one.due.timestamp(), one.state, str(one.pk), one.job_id, one.reason] for one in rows]))
"""


@pytest.fixture
def armed_site(tmp_path):
    """A site whose processes die where a test wants it."""
    faults = tmp_path / "faults"
    faults.mkdir()
    with new_site(tmp_path, JOBDECK_FAULTS=str(faults)) as site:
        site.faults = faults
        yield site.start("--without-examples")


def test_whoever_dies_at_whatever_point_of_schedules_nothing_is_lost_or_doubled(armed_site, tmp_path):
    site, ran = armed_site, tmp_path / "ran"
    until(lambda: site.said("ready: agent local"))
    site.python(POINTS_MAKE.format(program=f'echo "$JOBDECK_EXECUTION" >> {ran}'))
    for point in schedules.POINTS:
        for when in ("before", "after"):
            arm = site.faults / f"{point}.{when}"
            arm.touch()
            if point == "schedules.enrol":
                agent = RunningAgent(tmp_path / when, when)
                token = json.loads(site.python(ONE_TOKEN))
                until(lambda agent=agent, token=token: is_let_in(agent, site, token))
            until(lambda arm=arm: not arm.exists())
            until(lambda: site.get("/healthz")[0] == 200, 90)
    until(lambda: len(json.loads(site.python(POINTS_HOW.format(pause=False)))) > 20)
    site.python(POINTS_HOW.format(pause=True))
    until(lambda: all(row[2] not in "DR" for row in json.loads(site.python(POINTS_HOW.format(pause=False)))), 120)
    found = json.loads(site.python(POINTS_HOW.format(pause=False)))
    for name, period in (("command", 1), ("job", 2)):
        dues = [row[1] for row in found if row[0] == name]
        assert {round(second - first, 6) for first, second in pairwise(dues)} == {period}
    started = Counter(Path(ran).read_text().split())
    assert max(started.values()) == 1
    assert set(started) <= {row[3] for row in found if row[2] == "X"}
    jobs = [row[4] for row in found if row[0] == "job" and row[2] == "X"]
    assert None not in jobs
    assert len(set(jobs)) == len(jobs) > 3
    assert int(site.python("from jobs.models import Job; print(Job.objects.count())")) == len(jobs)
    names = "from jobs.schedules.models import Agent; print(*Agent.objects.values_list('name', flat=True))"
    assert site.python(names).split() == ["after", "before", "local"]


def is_let_in(agent: RunningAgent, site: Site, token: str) -> bool:
    """Whether it is let in now, or was by the try before, of which it did not hear."""
    try:
        agent.enrol(f"http://127.0.0.1:{site.port}", token)
    except AssertionError as error:
        return "this folder is that of the agent" in str(error)
    return True


def executions(site: Site) -> list[dict]:
    names = ("schedule", "agent", "due", "state", "reason", "started", "completed", "exit_code", "stdout", "id")
    return [dict(zip(names, row, strict=True)) for row in json.loads(site.python(HOW))]


def test_every_due_time_is_accounted_for_and_none_is_run_twice(site, agents, proxy, tmp_path, record_property):
    ran = tmp_path / "ran"
    commands = [
        ("quick", "every 1 seconds", ["sh", "-c", PROGRAM.format(ran=ran, takes=0)]),
        ("slow", "every 3 seconds", ["sh", "-c", PROGRAM.format(ran=ran, takes=2)]),
    ]
    site.python(SCHEDULE.format(seconds=SECONDS, commands=commands))
    begun = time.time()
    chance = random.Random(SEED)
    kills = {"agent": 0, "web": 0, "monitor": 0, "cut": 0}
    while (passed := time.time() - begun) < SECONDS:
        time.sleep(chance.uniform(0.5, 2.5))
        agents["killed"].kill()
        kills["agent"] += 1
        if chance.random() < 0.3:
            time.sleep(chance.uniform(0, 6))
        agents["killed"].start()
        if chance.random() < 0.4:
            proxy.refuse()
            time.sleep(chance.uniform(0, 5))
            proxy.listen()
            kills["cut"] += 1
        elif chance.random() < 0.5:
            proxy.cut_after = chance.randrange(1, 400)
            time.sleep(chance.uniform(0, 3))
            proxy.cut_after = None
            kills["cut"] += 1
        for name, word in (("web", "granian"), ("monitor", "manage.py monitor")):
            if passed > 10 and chance.random() < 0.2:
                for pid in site.processes(word):
                    os.kill(pid, signal.SIGKILL)
                kills[name] += 1

    def settled() -> bool:
        found = executions(site)
        return bool(found) and all(one["state"] not in "DR" for one in found)

    try:
        until(settled, 90)
    except AssertionError as error:
        waits = [one for one in executions(site) if one["state"] in "DR"]
        logs = "\n".join(f"{name}: {agent.log[-3000:]}" for name, agent in agents.items())
        raise AssertionError(f"{waits[:10]}\n{logs}\n{site.output[-3000:]}") from error
    found = executions(site)

    # Every due time of every agent has one row, on the grid.
    for schedule, period in (("quick", 1), ("slow", 3)):
        for agent in agents:
            dues = [one["due"] for one in found if (one["schedule"], one["agent"]) == (schedule, agent)]
            steps = {round(second - first, 6) for first, second in pairwise(dues)}
            assert steps == {period}, (schedule, agent, steps)
            assert len(dues) in (SECONDS // period, SECONDS // period - 1)
    # None was started twice, and what was started is said.
    started = Counter(Path(ran).read_text().split())
    assert [one for one, times in started.items() if times > 1] == []
    by_id = {one["id"]: one for one in found}
    assert set(started) <= set(by_id)
    assert all(by_id[one]["state"] == "X" for one in started)
    # No output is lost: who ran to its end has it, unless its end is unknown, which is said.
    for one in found:
        if one["state"] == "X":
            assert one["stdout"] == f"out {one['id']}\n" or (one["exit_code"] is None and one["reason"]), one
            assert one["id"] in started or one["exit_code"] is None
        else:
            assert one["reason"], one
    # Whoever was not killed ran all that it was not too busy for, at the time that the site's clock said.
    for name in ("cut", "wrong"):
        quick = [one for one in found if (one["schedule"], one["agent"]) == ("quick", name)]
        assert all(one["state"] == "X" and one["exit_code"] == 0 for one in quick if one["state"] != "S"), quick
        delays = sorted(one["started"] - one["due"] for one in quick if one["started"])
        assert len(delays) >= 0.8 * len(quick)
        assert delays[0] > -0.5, delays
        assert delays[int(len(delays) * 0.9)] < 3, delays
    words = Counter((one["agent"], one["state"]) for one in found)
    record_property(
        "figures",
        f"three agents, {SECONDS} s (seed {SEED}): {len(found)} due times, {kills}; "
        + ", ".join(f"{agent} {state} {count}" for (agent, state), count in sorted(words.items())),
    )
    difference = site.python(
        "from jobs.schedules.models import Agent; print(Agent.objects.get(name='wrong').clock_difference)"
    )
    assert abs(float(difference) - WRONG_BY) < 5
