"""After a workflow ended: the outputs of its nodes brought into its folder, and what DAGMan says of how they ended."""

import shutil
from pathlib import Path

from jobs.condor.outputs import bring_outputs, move_outputs
from jobs.condor.reach import Reach
from jobs.condor.submission.folders import Folders
from jobs.condor.workflows.answers import ended_report
from jobs.condor.workflows.dagfile import STATUS_FILE
from jobs.condor.workflows.layout import DAG, RUN, kept
from jobs.condor.workflows.statusfile import read_status
from jobs.engine import Handle, Report, parse_tag
from jobs.status import Status
from jobs.workspaces import open_inside

MOST = 50 << 20
"""Bytes of a status file that are read; of twenty thousand nodes it has about four million."""


def fetch_workflow(workflow, handle: Handle, folders: Folders, reach: Reach) -> Report | None:
    """Bring the outputs of a workflow that is over into its workspace.

    Returns:
        How its nodes ended; None where DAGMan left no status file.

    Raises:
        EngineRefused: they cannot be brought; they stay in the pool's queue, if they are there.
        EngineUnavailable: not now.
    """
    own = kept(folders.base, parse_tag(handle.tag)[1])
    out = bring_outputs(workflow, handle, folders, reach)
    if out is not None:
        if (out / RUN).is_dir() and not (out / RUN).is_symlink():
            move_outputs(folders.base, out / RUN)
        if (out / DAG).is_dir() and not (out / DAG).is_symlink():
            move_outputs(own, out / DAG)
        for path in out.iterdir():
            if path.is_file() and not path.is_symlink():
                path.rename(own / path.name)
    elif folders.shared and (folders.attempt / DAG).is_dir():
        _keep(folders.attempt, own)
    return _said(workflow, handle.tag, folders.base, own)


def _keep(attempt: Path, own: Path) -> None:
    """DAGMan's files of an attempt that worked in a shared folder: they stay when the attempt's own folder goes."""
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (*(attempt / DAG).iterdir(), *attempt.iterdir()):
        if path.is_file() and not path.is_symlink():
            (own / path.name).unlink(missing_ok=True)
            shutil.copyfile(path, own / path.name, follow_symlinks=False)


def _said(workflow, tag: str, base: Path, own: Path) -> Report | None:
    try:
        with open_inside(base, str((own / STATUS_FILE).relative_to(base))) as file:
            ended = read_status(file.read(MOST).decode(errors="replace"))
    except FileNotFoundError:
        return None
    ending = workflow.ending or {}
    said = Report(tag, ending.get("status"), ending.get("message"), ending.get("exit_code"))
    return ended_report(said, ended.parts, aborted=ending.get("status") == Status.ABORTED)
