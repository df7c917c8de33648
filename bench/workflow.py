"""Workflows: a tick with ten workflows of 100 nodes running, beside the bare query; and the page with a graph of 100 nodes.

`python bench/workflow.py` needs the pool of `make services` and PostgreSQL (DATABASE_URL, or 127.0.0.1:5432; in a database of
its own). The workflows are real: ten DAGMans in the pool with 1,000 jobs in its queue; eighteen of them run, the others wait.

A tick is all that the monitor does for one scheduler: read the workflows that it watches, ask, add up, write what is new of
them and of their nodes in one transaction. Beside it stands one `Schedd.query` with the same constraint and attributes, in a
process of its own that does nothing else. The two take turns.

The page is asked for through Django's test client; beside it stands the page of a job without a graph. While it is made, any
way to the pool would raise.
"""

import os
import sys
import time
from pathlib import Path
from statistics import median
from urllib.parse import quote

from measuring import temporary_site
from measuring.bare import Bare, in_the_pool

WORKFLOWS, NODES = 10, 100
TURNS = 5
PAGES = 15
PATIENCE = 300


def make_workflow(user):
    """A workflow of 100 nodes: one, then 98 side by side, then one."""
    from jobs.condor.models import CondorWorkflow, CondorWorkflowJobNode
    from jobs.manager import JobManager

    workflow = JobManager("bench").create_job("bench {id}", user, CondorWorkflow)

    def node(name: str, line: str) -> CondorWorkflowJobNode:
        commands = {"executable": "/bin/sh", "arguments": ["-c", line]}
        if line != "true":
            commands["requirements"] = "SlotID > 2"  # the first nodes of other workflows need a slot too
        return CondorWorkflowJobNode.objects.create(workflow=workflow, name=name, attributes=commands)

    first, last = node("first", "true"), node("last", "true")
    for number in range(NODES - 2):
        middle = node(f"station-{number}", "sleep 3600")
        middle.add_parent(first)
        last.add_parent(middle)
    return workflow


class Ticks:
    """The monitor's work for one scheduler, once."""

    def __init__(self, scheduler):
        from jobs.condor.engine import CondorEngine

        self.scheduler = scheduler
        self.engine = CondorEngine()

    def __call__(self) -> float:
        from jobs.models import Scheduler
        from jobs.monitor.leadership import lead
        from jobs.monitor.polling import poll_once

        lead(self.scheduler.pk)
        row = Scheduler.objects.get(pk=self.scheduler.pk)
        began = time.perf_counter()
        if not poll_once(row, self.engine):
            raise RuntimeError(Scheduler.objects.get(pk=self.scheduler.pk).last_error)
        return time.perf_counter() - began


def submit(user, ticks: Ticks) -> list:
    """Ten workflows in the pool, all of whose middle nodes are in the queue."""
    from jobs.condor.models import CondorWorkflowNode
    from jobs.intents import want
    from jobs.worker.carry_out import carry_out

    workflows = [make_workflow(user) for _ in range(WORKFLOWS)]
    for workflow in workflows:
        carry_out(want(workflow, "run").pk)
    end = time.monotonic() + PATIENCE
    waiting = CondorWorkflowNode.objects.non_polymorphic().filter(name__startswith="station", status_code="PEN")
    while waiting.exists():
        ticks()
        if time.monotonic() > end:
            raise RuntimeError(f"{waiting.count()} nodes are not in the queue after {PATIENCE} s")
        time.sleep(0.5)
    return workflows


def measure_ticks(workflows: list, ticks: Ticks, reach, bare: Bare) -> None:
    """Ticks when nothing, one workflow's and all workflows' nodes changed, each beside the bare query for the same."""
    from jobs.condor.answers import OVERLAP
    from jobs.condor.models import CondorWorkflowNode
    from jobs.condor.watching import QUESTION
    from jobs.conf import conf

    ours = f'JobdeckInstance == "{conf.INSTANCE}"'
    one = f'{ours} && JobdeckWorkflow == "{workflows[0].tag}"'
    print(f"{'changed nodes':>14} {'tick':>10} {'bare query':>12} {'ratio':>7}   aim")
    for which, changed in (
        (None, 0),
        (one, NODES - 2),
        (f"{ours} && JobdeckWorkflow =!= undefined", WORKFLOWS * (NODES - 2)),
    ):
        seconds, queries = [], []
        for turn in range(TURNS):
            ticks()
            time.sleep(OVERLAP + 1.1)  # what changed before lies outside of the next delta
            ticks()
            if which:
                reach.act("release" if turn % 2 else "hold", which, "bench", deadline=120)
            since = ticks.engine._watches[ticks.scheduler.pk].view.latest - OVERLAP
            took, found = bare.ask(constraint=f"{ours} && EnteredCurrentStatus >= {since}", projection=list(QUESTION))
            if found < changed:
                raise RuntimeError(f"{found} of {changed} nodes changed")
            queries.append(took)
            seconds.append(ticks())
            held = CondorWorkflowNode.objects.non_polymorphic().filter(status_code="PAS").count()
            if which and held < (0 if turn % 2 else changed):
                raise RuntimeError(f"the tick wrote {held} of {changed} nodes")
        if which:
            reach.act("release", which, "bench", deadline=120)
        tick, query = median(seconds) * 1000, median(queries) * 1000
        print(f"{changed:14} {tick:7.1f} ms {query:9.1f} ms {tick / query:7.1f}   2", flush=True)


def measure_pages(user, workflow) -> None:
    """The page with the graph, and what of it comes when nothing has changed, beside the page of a job without one."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from jobs.condor import reach as ways
    from jobs.manager import JobManager

    def no_way(*_):
        raise AssertionError("a page asked the pool")

    ways.reach_of = no_way
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(user)
    other = JobManager("bench").create_job("plain", user, "BASIC")
    graph = f"/jobs/{workflow.pk}/tab/graph/"
    pages = {
        "a job without a graph": (f"/jobs/{other.pk}/", {}),
        f"graph of {NODES} nodes": (graph, {}),
        "the same, one node opened": (f"{graph}?node=station-7", {}),
        f"list of {NODES} nodes": (f"{graph}?view=list", {}),
        "opened apart": (f"{graph}?open={quote(_key(workflow))}", {}),
    }
    taken: dict[str, list[float]] = {name: [] for name in pages}
    facts = {}
    for _ in range(PAGES):
        for name, (url, headers) in pages.items():
            with CaptureQueriesContext(connection) as queries:
                began = time.perf_counter()
                answer = client.get(url, headers=headers)
                taken[name].append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{url}: {answer.status_code}")
            facts[name] = len(queries), len(answer.content)
    plain = median(taken["a job without a graph"])
    print(f"{'page':>28} {'time':>9} {'ratio':>7} {'queries':>8} {'bytes':>8}")
    for name, seconds in taken.items():
        count, size = facts[name]
        print(f"{name:>28} {median(seconds) * 1000:6.1f} ms {median(seconds) / plain:7.2f} {count:8} {size:8}")


def _key(workflow) -> str:
    from jobs.condor.graph.structure import Node, boxes_of

    nodes = [
        Node(
            row.pk, row.name, "job", row.status_code, row.tries, tuple(row.parent_nodes.values_list("name", flat=True))
        )
        for row in workflow.nodes.non_polymorphic()
    ]
    return next(box.key for box in boxes_of(nodes, []) if box.is_many)


def measure(folder: Path) -> None:
    """Measure and print."""
    from jobs.conf import conf

    with in_the_pool(folder, "schedd") as (scheduler, user, reach, bare):
        ticks = Ticks(scheduler)
        try:
            workflows = submit(user, ticks)
            measure_ticks(workflows, ticks, reach, bare)
            measure_pages(user, workflows[0])
        finally:
            ours = f'JobdeckInstance == "{conf.INSTANCE}"'
            reach.act("remove", ours, "bench", deadline=120)
            time.sleep(5)
            reach.act("remove_x", ours, "bench", deadline=120)


def main() -> int:
    with temporary_site("postgres", JOBDECK_INSTANCE=f"bench{os.getpid()}") as folder:
        measure(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
