"""Named places in a job's life at which the fault tests kill the process.

Every commit and every engine call of a job's life is a `FaultPoint`. In production they cost one look at a module
constant. With `JOBDECK_FAULTS` naming a folder, a process that reaches point `p` finds out whether the file `p.before`
or `p.after` is there; whoever removes it dies by SIGKILL on the spot, as a machine that loses power would. A folder
`reached` in it gets an empty file for each of the two that was passed.

Nothing here imports Django: the runner of `jobs.local` has fault points too.
"""

# The runner starts with every job, and pathlib would add a tenth to its start.
# ruff: noqa: PTH108, PTH112

import os
import signal

FAULTS_FOLDER = os.environ.get("JOBDECK_FAULTS", "")


class FaultPoint:
    """One place at which a process may be killed; used as a context manager around the call it names.

    Args:
        name: unique, dotted, `<process>.<what>`; the tests enumerate `FaultPoint.registry` by it.

    Raises:
        ValueError: the name is taken by another point.
    """

    registry: dict[str, "FaultPoint"] = {}

    def __init__(self, name: str):
        if name in self.registry:
            raise ValueError(f"fault point {name!r} is declared twice")
        self.name = name
        self.registry[name] = self

    def reach(self, when: str) -> None:
        """Die here if a test armed this point; `when` is `before` or `after`."""
        if not FAULTS_FOLDER:
            return
        try:
            os.unlink(f"{FAULTS_FOLDER}/{self.name}.{when}")
        except FileNotFoundError:
            _note_passing(f"{self.name}.{when}")
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def __enter__(self) -> "FaultPoint":
        self.reach("before")
        return self

    def __exit__(self, exc_type, exc, traceback) -> None:
        if exc_type is None:
            self.reach("after")


def _note_passing(point: str) -> None:
    folder = f"{FAULTS_FOLDER}/reached"
    if os.path.isdir(folder):
        os.close(os.open(f"{folder}/{point}", os.O_WRONLY | os.O_CREAT, 0o600))
