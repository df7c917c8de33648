"""Rounds of faults against one stack: each point once, and random kills; counts what must be 0."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from django.contrib.auth.models import Permission, User

from jobs.engine import make_tag
from jobs.faultpoints import FaultPoint
from jobs.local.engine import attempt_folder
from jobs.models import Intent, Job
from jobs.status import ACTIVE, FINAL
from tests.faults.scenarios import SCENARIOS, OutcomeUnknown, Problem, Run, close_connections, submission_broke_off
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

    def map_points(self) -> dict[str, list]:
        """Which scenario reaches each point, found by running them; the cheapest first.

        A process may pass a point a moment after its scenario has seen all that it waits for. So the scenario before is
        named too.
        """
        found: dict[str, list] = {}
        before = SCENARIOS[0]
        for scenario in SCENARIOS:
            self.play(scenario, witness_may_die=False)
            for point in self.stack.reached():
                found.setdefault(point, [scenario, before])
            before = scenario
        return found

    def every_point(self, points: Sequence[str], scenarios_of: dict[str, list]) -> None:
        """Kill a process once at each of `points` ('name.before' or 'name.after')."""
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

    # --- at random

    def at_random(self, seconds: float, seed: int) -> None:
        """Run scenarios side by side for so long, while a random process dies every now and then."""
        chance = random.Random(seed)
        end = time.monotonic() + seconds

        def people(number: int) -> None:
            choice = random.Random(seed * 1000 + number)
            scenarios = [scenario for scenario in SCENARIOS if scenario is not submission_broke_off]
            while time.monotonic() < end:
                self.play(choice.choice(scenarios), witness_may_die=True)

        with ThreadPoolExecutor(4) as pool:
            for number in range(4):
                pool.submit(people, number)
            while time.monotonic() < end:
                time.sleep(chance.uniform(0.5, 2.5))
                victim = chance.choice(["web", "worker", "monitor", "runner"])
                if victim == "runner":
                    self._kill_a_runner(chance)
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


def all_points() -> list[str]:
    """Every fault point that the code declares, before and after."""
    import jobs.bulk
    import jobs.callback
    import jobs.local.runner
    import jobs.monitor.process
    import jobs.worker.carry_out  # noqa: F401 importing is what declares them

    return [f"{name}.{when}" for name in sorted(FaultPoint.registry) for when in ("before", "after")]


def share(points: Sequence[str], part: str) -> list[str]:
    """The k-th of n shares of the points, for 'k/n'; all for 'all', none for 'none'."""
    if part == "none":
        return []
    if part == "all":
        return list(points)
    number, _, of = part.partition("/")
    return list(points)[int(number) - 1 :: int(of)]
