"""What is said of a workflow while it runs does not stay when it no longer holds; on a queue that the test makes up."""

from jobs.condor.watching import Watch
from jobs.engine import Watched
from jobs.status import Status

TAG = "test.workflow.1"


class Queue:
    """Answers each question with all that is in it."""

    def __init__(self):
        self.dagman = {"JobdeckTag": TAG, "ClusterId": 1, "ProcId": 0, "JobdeckNodes": 2, "TotalSubmitProcs": 1}
        self.nodes = {
            name: {
                "JobdeckWorkflow": TAG,
                "DAGNodeName": name,
                "ClusterId": 2 + number,
                "ProcId": 0,
                "TotalSubmitProcs": 1,
            }
            for number, name in enumerate("AB")
        }
        self.clock = 1000

    def set(self, ad: dict, status: int, **facts) -> None:
        self.clock += 1
        ended = {"ExitCode": 0, "ExitBySignal": False, "CompletionDate": self.clock} if status == 4 else {}
        ad |= {"JobStatus": status, "EnteredCurrentStatus": self.clock, **ended, **facts}

    def query(self, constraint, projection, **_) -> list[dict]:
        return [ad | {"ServerTime": self.clock} for ad in (self.dagman, *self.nodes.values())]


class Scheduler:
    full_interval = 3600


class Looking:
    """Looks again and again, as the monitor does, and keeps what was said last."""

    def __init__(self, queue: Queue):
        self.queue, self.watch, self.cursor = queue, Watch(), None
        self.status, self.message = "", ""

    def look(self) -> tuple[str, str]:
        answer = self.watch.poll(Scheduler(), self.queue, self.cursor, [Watched(TAG, "1", self.status)])
        self.cursor = answer.cursor
        for report in answer.reports:
            self.status = report.status
            self.message = self.message if report.message is None else report.message
        return self.status, self.message


def test_that_what_it_started_is_being_ended_is_not_said_any_more_once_it_is():
    queue = Queue()
    looking = Looking(queue)
    for ad in (queue.dagman, *queue.nodes.values()):
        queue.set(ad, 2, RemoteHost="slot1")
    assert looking.look() == (Status.RUNNING, "")
    queue.set(queue.nodes["A"], 4)
    queue.set(queue.dagman, 4)
    assert looking.look() == (Status.VARIOUS, "What it started is being ended.")
    queue.set(queue.nodes["B"], 4)
    assert looking.look() == (Status.COMPLETE, "")


def test_that_a_node_is_held_is_not_said_any_more_once_it_was_released():
    queue = Queue()
    looking = Looking(queue)
    for ad in (queue.dagman, *queue.nodes.values()):
        queue.set(ad, 2, RemoteHost="slot1")
    looking.look()
    queue.set(queue.nodes["A"], 5, HoldReason="disk full", HoldReasonCode=12)
    assert looking.look() == (Status.VARIOUS, "1 of 2 nodes held. A: disk full")
    queue.set(queue.nodes["A"], 2)
    assert looking.look() == (Status.RUNNING, "")
