"""Where the files of a workflow's attempt lie, on this host and, at the same places, where DAGMan runs.

DAGMan works in one folder, `top`. In it are `dag` (the DAG file, the submit files, and what DAGMan writes of itself) and
`run`, the folder that the nodes share: their outputs come there. Each node's own files lie in `inputs`. All paths in DAG
file and submit files are relative, so that the whole can travel.
"""

import os
import posixpath
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from jobs.condor.submission.folders import Folders

DAG, RUN, INPUTS = "dag", "run", "inputs"
OWN = "dagman"
"""The folder of the workspace in which DAGMan's own files are kept, of each attempt in one of its own."""


class Way(Enum):
    """How the files of a workflow get to where DAGMan runs."""

    SPOOLED = "spooled"
    """The bindings send what lies in `in`, and bring `dag` and `run` back into `out`."""
    COPIED = "copied"
    """The attempt's folder is copied as a whole, and `out`, where DAGMan works, is copied back."""
    SHARED = "shared"
    """The pool mounts the workspace: it is the nodes' folder itself."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one attempt.

    Attributes:
        way: how files travel.
        folders: the attempt's folders as any job has them.
    """

    way: Way
    folders: Folders

    @property
    def top(self) -> Path:
        """DAGMan's own folder."""
        attempt = self.folders.attempt
        return {Way.SPOOLED: attempt / "in", Way.COPIED: attempt / "out", Way.SHARED: attempt}[self.way]

    @property
    def iwd(self) -> Path:
        """What HTCondor is told as DAGMan's initial folder; a spooled one is another by then."""
        return self.folders.attempt / "out" if self.way is Way.SPOOLED else self.top

    @property
    def dag(self) -> Path:
        return self.top / DAG

    @property
    def run(self) -> Path:
        """The nodes' folder; links to the workspace where the pool mounts that."""
        return self.top / RUN

    @property
    def inputs(self) -> Path:
        # What is copied whole need not come back with the outputs.
        return (self.folders.attempt if self.way is Way.COPIED else self.top) / INPUTS

    @property
    def brought(self) -> Path:
        """Where `dag` and `run` are on this host when the attempt is over and its outputs are here."""
        return self.folders.attempt if self.way is Way.SHARED else self.folders.attempt / "out"

    def place_of(self, node) -> str:
        """The folder of the workspace that a node works in: its `dir`, or one of its name, as condorpy has it."""
        return posixpath.normpath(node.dir or node.name)

    def folder_of(self, node) -> str:
        """The same, as the DAG file names it."""
        return posixpath.normpath(f"{RUN}/{self.place_of(node)}")

    def from_node(self, path: Path, node) -> str:
        """A path as it is from the folder that a node works in."""
        # A link is followed before '..' is.
        start = self.folders.base if self.way is Way.SHARED else self.run
        return os.path.relpath(path, start / self.place_of(node))

    def from_top(self, path: Path) -> str:
        """A path as it is from DAGMan's own folder."""
        return os.path.relpath(path, self.top)


def kept(base: Path, attempt: int) -> Path:
    """The folder of the workspace for DAGMan's own files of an attempt."""
    return base / OWN / f"attempt-{attempt}"
