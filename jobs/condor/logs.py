"""The logs of an attempt: what its submit description calls them, and where they come to."""

from collections.abc import Iterator
from pathlib import Path

from jobs.condor.submission.commands import Commands
from jobs.condor.submission.folders import job_name


def log_names(job, cluster: str, processes: int) -> Iterator[tuple[str, Path]]:
    """Names of a job's logs, and where they are in the folder that its outputs come to."""
    commands = Commands(job.condorpy_template_name, job.attributes)
    for process in range(processes):
        number = f" {process}" if job.num_jobs > 1 else ""
        for name, command in (("stdout", "output"), ("stderr", "error")):
            path = _log_path(job, commands, command, cluster, process)
            if path is not None:
                yield f"{name}{number}", path
    path = _log_path(job, commands, "log", cluster, 0)
    if path is not None:
        yield "HTCondor", path


def _log_path(job, commands: Commands, command: str, cluster: str, process: int) -> Path | None:
    text = commands.expanded(command, cluster=cluster, process=process, job_name=job_name(job, commands))
    return Path(text) if text and "$(" not in text else None
