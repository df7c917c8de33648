"""The logs and the output files of a workflow and of its nodes, as they lie in its folder."""

import posixpath
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from jobs.condor.models import CondorWorkflowFinalNode, CondorWorkflowJobNode
from jobs.condor.submission.commands import Commands, as_list
from jobs.condor.workflows.dagfile import DAG_FILE
from jobs.condor.workflows.layout import OWN
from jobs.engine import LogFile
from jobs.workspaces import list_files, workspace_path

MOST_NODES = 200
"""Nodes whose logs are offered together; each node's own page has its own."""
MOST_PROCESSES = 20
MOST_FILES = 200


def workflow_logs(workflow, attempt: int, base: Path) -> Iterator[LogFile]:
    """DAGMan's own log of an attempt, then those of the nodes."""
    yield from _there(base, f"{OWN}/attempt-{attempt}/{DAG_FILE}.dagman.out", "DAGMan")
    for node in workflow.nodes.instance_of(CondorWorkflowJobNode, CondorWorkflowFinalNode)[:MOST_NODES]:
        yield from node_logs(workflow, node, base)


def node_logs(workflow, node, base: Path | None = None) -> Iterator[LogFile]:
    """The logs of a node's last try that are there, called 'NODE stdout' and so on."""
    if not hasattr(node, "attributes") or not node.external_id:
        return
    base = base or workspace_path(workflow)
    commands = Commands(node.condorpy_template_name, node.attributes)
    folder = posixpath.normpath(node.dir or node.name)
    for process in range(min(node.num_jobs, MOST_PROCESSES)):
        number = f" {process}" if node.num_jobs > 1 else ""
        for what, command in (("stdout", "output"), ("stderr", "error")):
            name = _expanded(node, commands, command, process)
            if name:
                yield from _there(base, posixpath.join(folder, name), f"{node.name} {what}{number}")
    name = _expanded(node, commands, "log", 0)
    if name:
        yield from _there(base, posixpath.join(folder, name), f"{node.name} HTCondor")


def _expanded(node, commands: Commands, command: str, process: int) -> str:
    macros = {name.lower(): value for name, value in node.variables.items()}
    name = commands.get("job_name") if commands.is_own("job_name") else node.name
    known = {**macros, "cluster": node.external_id, "process": process, "job_name": name}
    text = commands.expanded(command, **known)
    return "" if "$(" in text else text


def _there(base: Path, name: str, called: str) -> Iterator[LogFile]:
    name = posixpath.normpath(name)
    path = base / name
    if not name.startswith(("..", "/")) and path.is_file() and not path.is_symlink():
        yield LogFile(called, path.stat().st_size, path, inside=base)


def node_files(workflow, node) -> list[str]:
    """Names in the workspace of the files that a node left, without its logs."""
    base = workspace_path(workflow)
    logs = {str(log.path.relative_to(base)) for log in node_logs(workflow, node, base)}
    folder = posixpath.normpath(node.dir or node.name)
    if folder != node.name:
        # Others may work there too: only what it says of itself is its own.
        named = as_list(Commands("", getattr(node, "attributes", {})).get("transfer_output_files"))
        wanted = {posixpath.normpath(posixpath.join(folder, name)) for name in named}
        names = [file.name for file in list_files(base, MOST_FILES * 5)]
        return [name for name in names if any(PurePosixPath(name).is_relative_to(one) for one in wanted)][:MOST_FILES]
    if not (base / folder).is_dir() or (base / folder).is_symlink():
        return []
    names = [f"{folder}/{file.name}" for file in list_files(base / folder, MOST_FILES)]
    return [name for name in names if name not in logs and f"{folder}/logs/" not in name]
