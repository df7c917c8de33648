"""Rounds of faults against one stack: each point once, and random kills; counts what must be 0."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.contrib.auth.models import Permission, User

from jobs.engine import make_tag
from jobs.faultpoints import FaultPoint
from jobs.local.engine import attempt_folder
from jobs.models import Intent, Job
from jobs.status import ACTIVE, FINAL
from tests.faults import farm, schedules, workflows
from tests.faults.in_the_pool import ONLY_HERE, POINTS
from tests.faults.scenarios import OutcomeUnknown, Problem, Run, close_connections
from tests.faults.stack import Stack, wait_until

TOGETHER = 3
"""Points that are armed at a time: what one kills, the others' scenarios have to live with too."""
WITNESSES = ("runner.", "hook.")
"""Points in processes that alone know how the work went."""
KINDS = ("lost", "doubled", "stuck", "wrong")


@dataclass
class Tally:
    """What was done and what went wrong."""

    rounds: int = 0
    killed: Counter = field(default_factory=Counter)
    counts: Counter = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, scenario, error: Exception | None) -> None:
        with self.lock:
            self.rounds += 1
            if error is not None:
                kind = error.kind if isinstance(error, Problem) else "stuck"
                self.counts[kind] += 1
                self.problems.append(f"{kind}: {scenario.__name__}: {type(error).__name__}: {error}")

    def line(self, title: str) -> str:
        """One line for people."""
        counts = ", ".join(f"{kind} {self.counts[kind]}" for kind in KINDS)
        return f"{title}: rounds {self.rounds}, killed {self.killed.total()}, {counts}"


class Rounds:
    """Runs scenarios against a started stack."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.tally = Tally()
        self.user = User.objects.create_user("faults", password="faults")
        self.user.user_permissions.add(Permission.objects.get(codename="run_commands"))

    def play(self, scenario, *, witness_may_die: bool) -> None:
        """Run one scenario to its end and note how it went."""
        error = None
        try:
            scenario(Run(self.stack, self.user, witness_may_die))
        except OutcomeUnknown:
            pass
        except Exception as found:  # noqa: BLE001 whatever went wrong is a finding of the round, not the end of all
            error = found
        finally:
            close_connections()
        self.tally.note(scenario, error)

    # --- every point once

    def map_points(self, scenarios: Sequence[Callable[[Run], None]]) -> dict[str, list]:
        """Which scenario reaches each point, found by running them; the cheapest first.

        A process may pass a point a moment after its scenario has seen all that it waits for; on a busy machine the next
        one may be over by then. So the two scenarios before are named too.
        """
        found: dict[str, list] = {}
        before: list[Callable[[Run], None]] = []
        for scenario in scenarios:
            self.play(scenario, witness_may_die=False)
            for point in self.stack.reached():
                found.setdefault(point, [scenario, *before])
            before = [scenario, *before][:2]
        return found

    def every_point(self, points: Sequence[str], part: str, scenarios: Sequence[Callable[[Run], None]]) -> int:
        """Kill a process once at each of a share of `points` ('name.before' or 'name.after'); how many that were.

        Each of `points` must be reached by one of the scenarios, whatever the share.
        """
        chosen = share(points, part)
        if not chosen:
            return 0
        scenarios_of = self.map_points(scenarios)
        unreached = sorted(set(points) - set(scenarios_of))
        if unreached:
            self.tally.counts["stuck"] += 1
            self.tally.problems.append(f"no scenario reaches {', '.join(unreached)}")
        self._kill_at([point for point in chosen if point in scenarios_of], scenarios_of)
        return len(chosen)

    def _kill_at(self, points: Sequence[str], scenarios_of: dict[str, list]) -> None:
        for start in range(0, len(points), TOGETHER):
            batch = points[start : start + TOGETHER]
            witness = any(point.startswith(WITNESSES) for point in batch)
            for point in batch:
                self.stack.arm(point)
            with ThreadPoolExecutor(TOGETHER) as pool:
                for point in batch:
                    pool.submit(partial(self.play, scenarios_of[point][0], witness_may_die=witness))
            for point in batch:
                self._see_it_reached(point, scenarios_of[point], witness_may_die=witness)

    def _see_it_reached(self, point: str, scenarios: list, *, witness_may_die: bool) -> None:
        # What another point killed may have kept this one's scenario from it: then it is tried alone.
        again = [*scenarios, *scenarios]
        while not wait_until(lambda: not self.stack.is_armed(point), 3):
            if not again:
                self.stack.disarm(point)
                self.tally.problems.append(f"nobody reached {point}")
                self.tally.counts["stuck"] += 1
                return
            self.play(again.pop(0), witness_may_die=witness_may_die)
        self.tally.killed[point] += 1

    def each(self, scenarios: Sequence[Callable[[Run], None]], points: Sequence[str]) -> None:
        """Run scenarios that arm these points themselves, some side by side; each point must have been reached."""
        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(partial(self.play, witness_may_die=False), scenarios))
        for point in points:
            if self.stack.is_armed(point):
                self.stack.disarm(point)
                self.tally.problems.append(f"nobody reached {point}")
                self.tally.counts["stuck"] += 1
        self.tally.killed["workflows"] += len(scenarios)

    # --- at random

    def at_random(self, seconds: float, seed: int, scenarios: Sequence[Callable[[Run], None]]) -> None:
        """Run scenarios side by side for so long, while a random process dies every now and then."""
        chance = random.Random(seed)
        end = time.monotonic() + seconds

        def people(number: int) -> None:
            choice = random.Random(seed * 1000 + number)
            while time.monotonic() < end:
                self.play(choice.choice(scenarios), witness_may_die=True)

        with ThreadPoolExecutor(4) as pool:
            for number in range(4):
                pool.submit(people, number)
            while time.monotonic() < end:
                time.sleep(chance.uniform(0.5, 2.5))
                victim = chance.choice(["web", "worker", "monitor", "runner", "functions", "function"])
                if victim == "runner":
                    self._kill_a_runner(chance)
                elif victim == "function":
                    self._kill_a_function(chance)
                else:
                    self.stack.kill(victim)
                self.tally.killed[victim] += 1
            close_connections()

    def _kill_a_runner(self, chance: random.Random) -> None:
        rows = list(Job.objects.non_polymorphic().filter(status_code__in=ACTIVE).order_by("pk"))
        if rows:
            job = chance.choice(rows)
            owner = attempt_folder(make_tag(job.uuid, job.attempt)).owner()
            if owner is not None:
                owner.signal(signal.SIGKILL)

    def _kill_a_function(self, chance: random.Random) -> None:
        """Kill one of the processes that run functions, and leave their worker."""
        below = Path(f"/proc/{self.stack.processes['functions'].pid}/task")
        children = [pid for path in below.glob("*/children") for pid in path.read_text().split()]
        if children:
            with suppress(ProcessLookupError):
                os.kill(int(chance.choice(children)), signal.SIGKILL)

    # --- in the end

    def nothing_open(self) -> None:
        """In the end no job is on its way and no wish is open."""

        def rest() -> bool:
            open_jobs = Job.objects.non_polymorphic().exclude(status_code__in=FINAL)
            return not open_jobs.exists() and not Intent.objects.open().exists()

        if not wait_until(rest, 40):
            left = [
                f"{job.pk} {job.status_code}" for job in Job.objects.non_polymorphic().exclude(status_code__in=FINAL)
            ]
            self.tally.counts["stuck"] += 1
            self.tally.problems.append(f"stuck: jobs {left}, intents {list(Intent.objects.open())}")


def site_points() -> list[str]:
    """Every fault point that the code declares, before and after, but for those that need a pool."""
    import jobs.bulk
    import jobs.callback
    import jobs.farm.engine
    import jobs.functions.worker.calling
    import jobs.local.runner
    import jobs.monitor.process
    import jobs.worker.carry_out  # noqa: F401 importing is what declares them

    elsewhere = {*ONLY_HERE, *farm.POINTS, *schedules.POINTS}
    names = (name for name in sorted(FaultPoint.registry) if not name.startswith(schedules.AGENTS))
    return _both(name for name in names if name not in elsewhere)


def farm_points() -> list[str]:
    """The points of farm runs, before and after; no broker has a part in them."""
    return _both(farm.POINTS)


def pool_points() -> list[str]:
    """The points at which processes are killed while their jobs are in the pool, before and after."""
    return _both(POINTS)


def workflow_points(part: str) -> list[str]:
    """A share of the points at which processes are killed around the submissions of a workflow, before and after."""
    return share(_both(workflows.POINTS), part)


def _both(names: Iterable[str]) -> list[str]:
    return [f"{name}.{when}" for name in names for when in ("before", "after")]


def share(points: Sequence[str], part: str) -> list[str]:
    """The k-th of n shares of the points, for 'k/n'; all for 'all', none for 'none'."""
    if part == "none":
        return []
    if part == "all":
        return list(points)
    number, _, of = part.partition("/")
    return list(points)[int(number) - 1 :: int(of)]
