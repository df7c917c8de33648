"""The files of this host that a user's job names: all of them lie in its workspace or in a shared folder."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from jobs.condor.submission.commands import Commands, as_list
from jobs.condor.submission.folders import job_name
from jobs.condor.submission.form import Refusal
from jobs.errors import InvalidAttribute
from jobs.workspaces import resolve_named_path

PROCESS = frozenset({"process", "procid"})
COUNTERS = PROCESS | {"cluster", "clusterid"}
"""What HTCondor itself sets, as numbers."""
MACRO = re.compile(r"\$\((\w+)\)", re.ASCII)

MOST_FILES = 20_000
"""Files that are looked at for one job, those in folders that it names included."""

_REGISTRIES = ("docker://", "oras://")


def check_paths(job, commands: Commands) -> None:
    """Check every path that Jobdeck or HTCondor's client would open on this host for the job, links followed.

    Args:
        job: a CondorJob whose macros are references to its own values only.
        commands: its submit commands, template included.

    Raises:
        Refusal: a path leads elsewhere, or cannot be told.
    """
    _Paths(job, commands).check()


class _Paths:
    def __init__(self, job, commands: Commands):
        self.job = job
        self.commands = commands
        self.base = ""
        self.looked_at = 0

    def check(self) -> None:
        if self.commands.is_own("initialdir"):
            for folder in self._texts("initialdir"):
                self._inside("attributes", "initialdir: ", folder)
                self.base = folder
        for path in self.job.remote_input_files:
            self._check_read("remote_input_files", "", path)
        for name in self._read():
            for text in self._texts(name):
                for path in _paths_in(name, text):
                    self._check_read("attributes", f"{name}: ", path)
        for name in ("output", "error", "log", "transfer_output_files"):
            text = self._expanded(self.commands.get(name), 0)
            for path in as_list(text) if name == "transfer_output_files" else [text]:
                _check_written(name, path)

    def _read(self) -> Iterator[str]:
        """The commands whose files are read on this host."""
        if self.commands.program_travels:
            yield "executable"
        if self.commands.get("input") != "/dev/null":
            yield "input"
        if not self.commands.get("container_image").startswith(_REGISTRIES):
            yield "container_image"
        yield "transfer_input_files"

    def _texts(self, name: str) -> Iterator[str]:
        """A command with its macros replaced: for each process, where it differs by it."""
        text = self.commands.get(name)
        counters = {reference.lower() for reference in MACRO.findall(text)} & COUNTERS
        if counters - PROCESS:
            raise Refusal("attributes", f"{name}: $(Cluster) is not known yet when its files are read; leave it out")
        for process in range(self.job.num_jobs if counters else 1):
            yield self._expanded(text, process)

    def _expanded(self, text: str, process: int) -> str:
        return MACRO.sub(lambda found: str(process) if found[1].lower() in COUNTERS else self._value(found[1]), text)

    def _value(self, name: str) -> str:
        # As it is when the job is submitted: what is looked at must be what is used.
        return job_name(self.job, self.commands) if name.lower() == "job_name" else self.commands.get(name)

    def _check_read(self, field: str, label: str, path: str) -> None:
        if "://" in path:
            raise Refusal(
                field, f"{label}{path}: only files of this host may be named, no URLs; put the file there first"
            )
        if '"' in path:
            raise Refusal(
                field, f"{label}{path}: HTCondor's client takes quotes away and opens another file; rename it"
            )
        waiting, seen = [self._inside(field, label, path)], set()
        while waiting:
            folder = waiting.pop()
            if folder in seen:
                continue
            seen.add(folder)
            for found in _below(folder):
                self._count(field, label)
                if found.is_symlink():
                    # HTCondor's client follows it when it sends the folder.
                    waiting.append(self._inside(field, label, str(found)))

    def _inside(self, field: str, label: str, path: str) -> Path:
        self._count(field, label)
        try:
            return resolve_named_path(self.job, str(PurePosixPath(self.base, path)), from_app_code=False)
        except InvalidAttribute as error:
            raise Refusal(field, f"{label}{error}") from error

    def _count(self, field: str, label: str) -> None:
        self.looked_at += 1
        if self.looked_at > MOST_FILES:
            raise Refusal(
                field,
                f"{label}the job names more than {MOST_FILES} files; pack them into an archive that its program unpacks",
            )


def _paths_in(name: str, text: str) -> Iterable[str]:
    if name != "transfer_input_files":
        return [text] if text else []
    # HTCondor's client splits the list at white space too, Jobdeck only at commas: neither may lead out.
    return {*as_list(text), *text.replace(",", " ").split()}


def _check_written(name: str, path: str) -> None:
    if path == "/dev/null" and name != "log":
        return
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "://" in path or '"' in path:
        raise Refusal(
            "attributes",
            f"{name}: {path}: must name a file in the job's folder, without '/' at its beginning and without '..', '://' "
            "and quotes; outputs come into the workspace",
        )


def _below(folder: Path) -> Iterator[Path]:
    for inner, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(inner, name)
