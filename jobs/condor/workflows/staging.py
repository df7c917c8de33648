"""The files of a workflow's attempt, laid out for DAGMan before it is submitted."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.condor.submission.commands import INSTALLED
from jobs.condor.submission.placing import Placing, failures_named
from jobs.condor.workflows.dagfile import DAG_FILE, Placed, Relations, dag_text, with_marks
from jobs.condor.workflows.form import NodeJob
from jobs.condor.workflows.layout import Layout, kept
from jobs.condor.workflows.nodefile import LEAVE_IN_QUEUE, NodeStaging
from jobs.condor.workflows.rescue import RESCUE_FILE, newest_rescue, of_nodes
from jobs.engine import EngineRefused
from jobs.workspaces import open_inside


class WorkflowStaging:
    """Lays out one attempt of a workflow.

    Args:
        workflow: a CondorWorkflow.
        nodes: its nodes, each as what it is.
        parents: for each node that has any, its parents by name.
        layout: where.
        shared_folders: what the pool mounts too.
        marks: of the queue's ads, by which the nodes' jobs are found; as ClassAd expressions.
        variables: for the environment of the nodes' jobs.
    """

    def __init__(
        self,
        workflow,
        nodes: Sequence[Any],
        parents: Mapping[str, Sequence[str]],
        layout: Layout,
        shared_folders: Iterable,
        *,
        marks: Mapping[str, str],
        variables: Mapping[str, str],
    ):
        self.workflow = workflow
        self.nodes = nodes
        self.parents = parents
        self.layout = layout
        self.marks = marks
        self.variables = variables
        self.files = Placing(workflow, layout.folders, shared_folders)
        self.done: list[str] = []

    def lay_out(self) -> None:
        """Make the attempt's folders and put everything into them; again from the start if a crash came between.

        `done` are then the nodes that an earlier attempt has done, where this one goes on from it.

        Raises:
            EngineRefused: a file is not there, cannot be read, or may not be named.
            EngineUnavailable: this host has no room.
        """
        with failures_named():
            self.files.begin()
            for folder in (self.layout.iwd, self.layout.top, self.layout.dag, self.layout.inputs):
                self.files.make_folder(folder)
            if self.layout.folders.shared:
                self.layout.run.symlink_to(self.layout.folders.base)
            else:
                self.files.make_folder(self.layout.run)
            if self.workflow.continues:
                self._go_on_from(self.workflow.continues)
            placed = [self._place(node) for node in self.nodes]
            text = dag_text(
                placed,
                Relations(self.parents),
                max_jobs=self.workflow.max_jobs,
                config=self._config(),
                variables=self._own_variables(),
                folder=self.layout.dag.name,
            )
            self.files.write(self.layout.dag / DAG_FILE, text)

    def _own_variables(self) -> dict[str, str]:
        """Our marks as macros, for submit files that are not of Jobdeck's making."""
        return {**{f"My.{name}": value for name, value in self.marks.items()}, "leave_in_queue": LEAVE_IN_QUEUE}

    def _config(self) -> str:
        if not self.workflow.config:
            return ""
        path = self._file("config", self.workflow.config)
        target = self.layout.dag / "dagman.config"
        self.files.put(path, target)
        return self.layout.from_top(target)

    def _file(self, what: str, named: str) -> Path:
        path = self.files.resolve(named)
        if not path.is_file():
            raise EngineRefused(f"{what}: {named} is not there")
        return path

    # --- an earlier attempt

    def _go_on_from(self, attempt: int) -> None:
        """Have what an earlier attempt has done be done: its rescue file, and the outputs of its nodes."""
        base = self.layout.folders.base
        name = newest_rescue(kept(base, attempt))
        if name is None:
            return  # it never came so far: this one begins from the start
        with open_inside(base, str((kept(base, attempt) / name).relative_to(base))) as file:
            text, self.done = of_nodes(file.read().decode(errors="replace"), {node.name for node in self.nodes})
        self.files.write(self.layout.dag / f"{DAG_FILE}.{RESCUE_FILE}001", text)
        if self.layout.folders.shared:
            return
        for folder in sorted({self.layout.place_of(node) for node in self.nodes}):
            if (base / folder).is_dir() and not (base / folder).is_symlink():
                self._carry_along(base, folder)

    def _carry_along(self, base: Path, folder: str) -> None:
        """The files that nodes left in their folder; never through a link that one of them left."""
        for where, folders, names in os.walk(base / folder):
            folders[:] = sorted(name for name in folders if not Path(where, name).is_symlink())
            target = self.files.make_folder(self.layout.run / Path(where).relative_to(base))
            for name in names:
                if not Path(where, name).is_symlink() and "," not in name:
                    self.files.put(Path(where, name), target / name)

    # --- nodes

    def _place(self, node) -> Placed:
        self._make_node_folder(node)
        scripts = {when: self._script(node, when) for when in ("pre_script", "post_script")}
        if node.KEYWORD in ("SUBDAG", "SPLICE"):
            file = self._dag_of(node)
        else:
            path = self.layout.dag / f"{node.name}.sub"
            before = partial(self._folders_before, node.name)
            staging = NodeStaging(NodeJob(self.workflow, node), node, self.layout, self.files, before)
            self.files.write(path, staging.lay_out(self.marks, self.variables))
            file = self.layout.from_node(path, node)
        return Placed(node, file, self.layout.folder_of(node), **scripts)

    def _make_node_folder(self, node) -> None:
        folder = self.layout.folders.base if self.layout.folders.shared else self.layout.run
        for part in PurePosixPath(self.layout.place_of(node)).parts:
            folder = folder / part
            if folder.is_symlink():
                raise EngineRefused(f"nodes: {node.name}: {folder} is a link; a node works in a folder of its own")
            self.files.make_folder(folder)

    def _script(self, node, when: str) -> str:
        named = getattr(node, when)
        if not named or named.startswith(INSTALLED):
            return named
        path = self._file(f"nodes: {node.name}: {when}", named)
        # Under a name of ours, because DAGMan knows no spaces in one.
        target = self.files.make_folder(self.layout.inputs / f"{node.name}.scripts") / when
        self.files.put(path, target)
        if target.is_symlink():
            target.unlink()
            self.files.copy(path, target)
        target.chmod(target.stat().st_mode | 0o110)
        return self.layout.from_node(target, node)

    def _dag_of(self, node) -> str:
        """An author's own DAG file, with all that it names beside it."""
        folder = self.layout.run / self.layout.place_of(node)
        for entry in node.remote_input_files:
            path = self.files.resolve(entry)
            if not path.exists():
                raise EngineRefused(f"nodes: {node.name}: remote_input_files: {entry} is not there")
            self.files.put(path, folder / Path(entry).name)
        path = self._file(f"nodes: {node.name}: dag_file", node.dag_file)
        target = folder / Path(node.dag_file).name
        if len(target.name.split()) != 1:
            raise EngineRefused(f"nodes: {node.name}: dag_file: {target.name}: DAGMan knows no spaces in it; rename it")
        target.unlink(missing_ok=True)
        self.files.write(target, with_marks(path.read_text(), self._own_variables()))
        return target.name

    def _folders_before(self, name: str) -> set[str]:
        """The folders of all nodes that come before one."""
        found: set[str] = set()
        waiting = list(self.parents.get(name, ()))
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting += self.parents.get(parent, ())
        return {self.layout.place_of(node) for node in self.nodes if node.name in found}
