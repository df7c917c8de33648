"""Jobs in the pool that leave a trace each time their program starts, and wait until they are told to end."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.condor.reach import reach_of
from jobs.workspaces import workspace_path
from tests.condor.live import Live

MB = 1 << 20
START = 'echo started >> "$TRACES/$JOBDECK_TAG"; '
UNTIL_TOLD = 'while [ ! -e "$TRACES/go" ]; do sleep 0.1; done; echo wind > out.txt'


class Traced(Live):
    """The pool, with a folder of the test's that both sides mount, where jobs leave a trace each time they start."""

    def __init__(self, pool, user, **fields):
        if not pool.shared_folder:
            pytest.skip("the pool of JOBDECK_POOL_ADDRESS shares no folder with this machine (JOBDECK_POOL_SHARED)")
        self.traces = Path(pool.shared_folder) / f"trouble-{uuid4().hex}"
        self.traces.mkdir()
        self.traces.chmod(0o777)
        super().__init__(pool, user, **fields)

    def traced(self, line: str = UNTIL_TOLD, **fields):
        """A pending job that leaves a trace when it starts."""
        # Before the thousands that a benchmark may have in the queue.
        attributes = {"environment": {"TRACES": str(self.traces)}, "priority": 20}
        return self.shell(START + line, attributes=attributes, **fields)

    def starts(self, job) -> int:
        """How often the job's program was started."""
        trace = self.traces / job.tag
        return trace.read_text().count("\n") if trace.exists() else 0

    def go(self) -> None:
        """Let the jobs end."""
        (self.traces / "go").touch()

    def close(self) -> None:
        self.go()
        super().close()
        shutil.rmtree(self.traces, ignore_errors=True)

    def check_ended_well(self, job) -> None:
        """It ended well, was started once, its output is here, and nothing of it is in the queue."""
        self.until_over(job)
        assert (job.cached_status, job.exit_code) == ("Complete", 0), job.status_message
        assert (workspace_path(job) / "out.txt").read_text() == "wind\n"
        assert self.starts(job) == 1
        self.until(lambda: not queue_of(self, job), f"{job} is out of the queue", job)


def queue_of(live, job) -> list[dict]:
    """What the queue has of the job's attempt."""
    return reach_of(live.scheduler).query(f'JobdeckTag == "{job.tag}"', ["ClusterId", "JobStatus", "HoldReasonCode"])
