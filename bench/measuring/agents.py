"""Agents as the site hears them, many in one process: they sign what they say and run nothing."""

import http.client
import json
import multiprocessing
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from jobs.schedules.agent.signing import SCHEME, header, request_signature
from jobs.schedules.agent.timetable import execution_id

BASE = "/api/schedules/agent"
OUTPUT = "a line of a log, as programs print them\n" * 5


@dataclass(frozen=True)
class Enrolled:
    """Who an agent is: its id and its key."""

    id: str
    key: bytes


class SimulatedAgent:
    """One of them, with a connection of its own.

    Args:
        port: of the site.
        who: it is.
    """

    def __init__(self, port: int, who: Enrolled):
        self.who, self.counter = who, 0
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        said = {"agent": who.id, "nonce": secrets.token_hex(16)}
        self.session = self.post(f"{BASE}/hello", said)["session"]

    def ask(self, path: str, **said) -> dict:
        """Make a signed call."""
        return self.post(path, said, signed=True)

    def post(self, path: str, said: dict, *, signed: bool = False) -> dict:
        """Make a call; anything but 200 is an error."""
        body = json.dumps(said).encode()
        headers = {"Content-Type": "application/json"}
        if signed:
            self.counter += 1
            values = {"agent": self.who.id, "session": self.session, "counter": self.counter, "nonce": "0" * 32}
            purpose = path.rpartition("/")[2]
            signature = request_signature(self.who.key, **values, purpose=purpose, body=body)
            headers["Authorization"] = header(SCHEME, **values, signature=signature)
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


@dataclass
class Told:
    """How long calls took, in seconds, by what they were."""

    waited: dict[str, list[float]] = field(default_factory=dict)
    late: int = 0

    def add(self, what: str, seconds: float) -> None:
        self.waited.setdefault(what, []).append(seconds)


def tell(
    port: int,
    agents: Sequence[Enrolled],
    schedule: str,
    moments: Sequence[int],
    ways: Sequence[str],
    rate: float,
    seconds: float,
) -> Told:
    """Have agents complete executions at a steady rate, in processes of their own.

    Args:
        port: of the site.
        agents: who tells.
        schedule: whose executions they are.
        moments: due times, one for each call of an agent.
        ways: of 'report', 'complete' and 'bare', in turns.
        rate: completions a second of all agents together.
        seconds: for which.
    """
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    groups = [agents[number::4] for number in range(4)]
    arguments = (schedule, list(moments), list(ways), len(agents) / rate, seconds, answers)
    children = [context.Process(target=_group, args=(port, group, *arguments), daemon=True) for group in groups]
    for child in children:
        child.start()
    told = Told()
    for _ in children:
        found = answers.get(timeout=seconds + 120)
        told.late += found.late
        for what, waited in found.waited.items():
            told.waited.setdefault(what, []).extend(waited)
    for child in children:
        child.join()
    return told


def _group(port, agents, schedule, moments, ways, pause, seconds, answers) -> None:
    told, lock = Told(), threading.Lock()
    begin = time.monotonic() + 2
    threads = [
        threading.Thread(
            target=_one,
            args=(port, who, schedule, moments, ways, begin + pause * number / len(agents), pause, seconds, told, lock),
        )
        for number, who in enumerate(agents)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(told)


def _one(port, who, schedule, moments, ways, begin, pause, seconds, told, lock) -> None:
    agent = SimulatedAgent(port, who)
    for number, moment in enumerate(moments):
        wanted = begin + number * pause
        if wanted > begin + seconds:
            return
        time.sleep(max(0.0, wanted - time.monotonic()))
        way = ways[number % len(ways)]
        started = time.monotonic()
        _complete(agent, way, schedule, moment)
        with lock:
            told.add(way, time.monotonic() - started)
            told.late += started - wanted > pause


def _complete(agent: SimulatedAgent, way: str, schedule: str, moment: int) -> None:
    execution = str(execution_id(UUID(schedule), UUID(agent.who.id), moment))
    said = {"stdout": OUTPUT, "exit_code": 0}
    if way == "bare":
        agent.post("/bare/token", said)
    elif way == "complete":
        agent.ask(f"/api/v1/tasks/{schedule}/complete", server_id=agent.who.id, execution_id=execution, **said)
    else:
        times = {"due": moment, "started": moment, "completed": moment + 1000, "state": "ran"}
        agent.ask(f"{BASE}/report", executions=[{"id": execution, "schedule": schedule, **times, **said}])
