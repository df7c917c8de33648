"""Schedules: an agent with 500 of them, and a site that many agents tell what came of theirs.

`python bench/schedules.py [SECONDS]`. First a real agent of a whole site: what it computes while nothing is due, and how late it
starts commands, 20 a second; beside it, what bare starts of the same command cost. Then 50 simulated agents tell the production
server on PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; a database of its own, in which 100,000 executions are kept) what came of
theirs, while somebody asks for the latest outputs; beside it, in turns, a bare Django view on the same server.
"""

import http.client
import json
import secrets
import subprocess
import sys
import threading
import time
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import psutil
from measuring import machine, percentile, processes, temporary_site
from measuring.server import Server

SECONDS = 30.0
SCHEDULES, STARTS = 500, 20
AIM = 1.0
AGENTS, KEPT, RATE = 50, 100_000, 50
NAME, PASSWORD = "bench", "bench"


# --- one agent


class Agent:
    """A real agent in a folder, for a `with` statement."""

    def __init__(self, folder: Path, port: int):
        self.folder, self.site = folder, f"http://127.0.0.1:{port}"

    def __enter__(self):
        from jobs.schedules.enrolment import make_enrol_token
        from jobs.schedules.pyz import agent_archive

        archive = self.folder / "jobdeck-agent.pyz"
        archive.write_bytes(agent_archive())
        command = [sys.executable, "-I", str(archive)]
        data = ["--data", str(self.folder / "agent")]
        environment = {"PATH": "/usr/bin:/bin", "JOBDECK_ENROL_TOKEN": make_enrol_token(None)[1]}
        subprocess.run([*command, "enrol", self.site, *data, "--name", "bench"], env=environment, check=True)
        del environment["JOBDECK_ENROL_TOKEN"]
        with (self.folder / "agent.log").open("wb") as log:
            self.process = subprocess.Popen([*command, "run", *data], env=environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20)

    def cpu_seconds(self) -> float:
        """What the agent and all that it has started and waited for have computed."""
        found = 0.0
        main = psutil.Process(self.process.pid)
        for process in [main, *main.children(recursive=True)]:
            try:
                found += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
        return found


def schedules(user, frequency: str, spread: float) -> list:
    """Schedules of /bin/true, their due times spread evenly over so many seconds."""
    from jobs import clock
    from jobs.schedules.editing import create_schedule

    begin = clock.now()
    return [
        create_schedule(
            user,
            name=f"{frequency} {number}",
            argv=["/bin/true"],
            frequency=frequency,
            on_all=True,
            start=begin + timedelta(seconds=spread * number / SCHEDULES),
        )
        for number in range(SCHEDULES)
    ]


def one_agent(seconds: float) -> None:
    with temporary_site("postgres", ALLOWED_HOSTS="127.0.0.1") as folder:
        from django.contrib.auth.models import Permission, User

        user = User.objects.create_user(NAME, password=PASSWORD)
        user.user_permissions.add(Permission.objects.get(codename="run_commands"))
        with processes(folder, "monitor"), Server(1) as server, Agent(folder, server.port) as agent:
            idle = schedules(user, "every 24 hours", 0)
            time.sleep(5)
            before = agent.cpu_seconds()
            time.sleep(seconds)
            print(
                f"one agent, {SCHEDULES} schedules of which none is due: "
                f"{100 * (agent.cpu_seconds() - before) / seconds:.2f} % of a core"
            )
            for one in idle:
                one.delete()
            period = SCHEDULES // STARTS
            schedules(user, f"every {period} seconds", period)
            time.sleep(period + 2)
            before, begun = agent.cpu_seconds(), time.monotonic()
            time.sleep(seconds)
            passed, computed = time.monotonic() - begun, agent.cpu_seconds() - before
            time.sleep(5)
            _print_delays(passed, computed, agent)


def _print_delays(passed: float, computed: float, agent: Agent) -> None:
    from jobs.schedules.models import Execution

    ran = Execution.objects.filter(state=Execution.State.RAN, schedule__name__startswith="every 25")
    delays = [(started - due).total_seconds() for started, due in ran.values_list("started", "due")]
    skipped = Execution.objects.filter(state__in=["S", "M"]).count()
    starts = passed * STARTS
    began = time.monotonic()
    cpu = psutil.Process().cpu_times()
    for _ in range(200):
        subprocess.run(["/bin/true"], check=True)
    bare = (time.monotonic() - began) / 200
    after = psutil.Process().cpu_times()
    bare_cpu = sum(after[:4]) - sum(cpu[:4])
    print(
        f"one agent, {STARTS} starts a second, {len(delays)} starts: late by {1000 * percentile(delays, 50):.0f} ms (median), "
        f"{1000 * percentile(delays, 95):.0f} ms (p95; aim: under {AIM:g} s), {1000 * max(delays):.0f} ms at most; "
        f"{skipped} skipped or missed"
    )
    each, bare_each = 1000 * computed / starts, 1000 * bare_cpu / 200
    print(
        f"CPU for each start with its report: {each:.1f} ms; a bare subprocess.run: {bare_each:.1f} ms "
        f"({1000 * bare:.1f} ms on the clock); ratio {each / bare_each:.1f}"
    )


# --- many agents


def many_agents(seconds: float) -> None:
    with temporary_site("postgres", ALLOWED_HOSTS="127.0.0.1") as folder:
        from django.contrib.auth.models import Permission, User
        from django.db import connection, connections
        from measuring.agents import tell

        from jobs.schedules.editing import create_schedule
        from jobs.schedules.models import Execution

        user = User.objects.create_user(NAME, password=PASSWORD)
        user.user_permissions.add(Permission.objects.get(codename="run_commands"))
        agents = _enrolled()
        made = [
            create_schedule(
                user, name=f"kept {number}", argv=["true"], frequency="every 24 hours", on_all=True, keep=10_000
            )
            for number in range(20)
        ]
        _fill(made)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(f"{AGENTS} agents, {RATE} completions a second, {Execution.objects.count():,} executions kept")
        schedule, moments = made[0], _moments(made[0])
        connections.close_all()
        with processes(folder, "monitor"), Server(2, "measuring.taskfarm_site") as server:
            latest: dict[str, list[float]] = {"latest_output": [], "bare": []}
            stop = threading.Event()
            reader = threading.Thread(target=_read, args=(server.port, str(schedule.uuid), latest, stop))
            reader.start()
            told = tell(server.port, agents, str(schedule.uuid), moments, ("report", "complete", "bare"), RATE, seconds)
            stop.set()
            reader.join()
        for what in ("report", "complete", "bare"):
            _print_waited(what, told.waited[what], told.waited["bare"])
        _print_waited("latest_output", latest["latest_output"], latest["bare"])
        print(f"calls that began later than wanted: {told.late}")


def _print_waited(what: str, waited: list[float], bare: list[float]) -> None:
    half, most = (1000 * percentile(waited, one) for one in (50, 95))
    print(
        f"{what:>14}: {len(waited):5} calls, median {half:6.1f} ms, p95 {most:6.1f} ms, of a bare view's "
        f"{half / percentile(bare, 50) / 1000:.1f} and {most / percentile(bare, 95) / 1000:.1f} times"
    )


def _enrolled() -> list:
    from measuring.agents import Enrolled

    from jobs.schedules.enrolment import enrol, make_enrol_token

    found = []
    for number in range(AGENTS):
        key = secrets.token_bytes(32)
        agent = enrol(make_enrol_token(None)[1], key.hex(), name=f"agent{number}")
        found.append(Enrolled(str(agent.uuid), key))
    return found


def _fill(made: list) -> None:
    """Executions of the past."""
    from measuring.agents import OUTPUT

    from jobs.schedules.agent.timetable import execution_id, microseconds
    from jobs.schedules.models import Agent, Execution

    agents = list(Agent.objects.all())
    each = KEPT // len(made) // len(agents)
    for schedule in made:
        rows = []
        for number in range(1, each + 1):
            due = schedule.start - timedelta(minutes=number)
            rows += [
                Execution(
                    id=execution_id(schedule.uuid, agent.uuid, microseconds(due)),
                    schedule=schedule,
                    agent=agent,
                    due=due,
                    state=Execution.State.RAN,
                    started=due,
                    completed=due,
                    reported=due,
                    exit_code=0,
                    stdout=OUTPUT,
                    stdout_size=len(OUTPUT),
                )
                for agent in agents
            ]
        Execution.objects.bulk_create(rows, batch_size=1000)


def _moments(schedule) -> list[int]:
    """Due times of which nothing was heard yet, with their rows, so that agents may complete them."""
    from jobs.schedules.agent.timetable import execution_id, microseconds
    from jobs.schedules.due import moment_of
    from jobs.schedules.models import Agent, Execution

    start = microseconds(schedule.start)
    moments = [start - number * 1000 for number in range(1, 201)]
    rows = [
        Execution(id=execution_id(schedule.uuid, agent.uuid, due), schedule=schedule, agent=agent, due=moment_of(due))
        for due in moments
        for agent in Agent.objects.all()
    ]
    Execution.objects.bulk_create(rows, batch_size=1000)
    return moments


def _read(port: int, schedule: str, waited: dict[str, list[float]], stop: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    login = b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    calls = (
        ("latest_output", "GET", f"/api/v1/tasks/{schedule}/latest_output", None),
        ("bare", "POST", "/bare/token", json.dumps({})),
    )
    while not stop.wait(0.1):
        for what, method, path, body in calls:
            begun = time.monotonic()
            connection.request(
                method, path, body, {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
            waited[what].append(time.monotonic() - begun)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(f"{machine()}; {seconds:g} s each")
    # Each part has a site of its own, and so a process of its own.
    if len(sys.argv) > 2:
        {"one": one_agent, "many": many_agents}[sys.argv[2]](seconds)
        return 0
    codes = [
        subprocess.run([sys.executable, __file__, f"{seconds}", part], check=False).returncode
        for part in ("one", "many")
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
