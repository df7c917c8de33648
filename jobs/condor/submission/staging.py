"""The files of an attempt, laid out for HTCondor before it is submitted.

HTCondor's clients split the list of input files at spaces and commas. So what a job starts with is laid out in one
folder, whose content travels; only for entries of it with a space in their name a small program puts them into place.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.condor.submission.commands import Commands, as_list
from jobs.condor.submission.folders import Folders, job_name
from jobs.condor.submission.placing import TOKEN_FILE, Placing, failures_named
from jobs.condor.submission.starter import FOLDER, PROGRAM, starter
from jobs.engine import EngineRefused
from jobs.errors import InvalidAttribute


@dataclass(frozen=True, slots=True)
class Staged:
    """What the submit description has to say about files.

    Attributes:
        executable: path of the program.
        transfer_executable: it travels with the job.
        inputs: entries for `transfer_input_files`, relative to the initial folder, or URLs.
    """

    executable: str
    transfer_executable: bool
    inputs: list[str]


class Staging:
    """Lays out the files of one attempt.

    Args:
        job: a CondorJob.
        commands: its submit commands, template included.
        folders: where.
        shared_folders: what the pool mounts too.
    """

    def __init__(self, job, commands: Commands, folders: Folders, shared_folders: Iterable):
        self.job = job
        self.commands = commands
        self.folders = folders
        self.files = Placing(job, folders, shared_folders)
        self.urls: list[str] = []

    def lay_out(self) -> Staged:
        """Make the attempt's folders and put everything into them; again from the start if a crash came between.

        Raises:
            EngineRefused: a file is not there, cannot be read, or may not be named.
        """
        with failures_named():
            self.files.begin()
            self._make_folders()
            for path, name in self._named_inputs():
                self.files.put(path, self.folders.inputs / name)
            self._put_opened()
            self.files.put_token(self.token_file)
            return self._staged(self._program())

    def _make_folders(self) -> None:
        folders = self.folders
        folders.inputs.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.iwd.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.files.open_up(folders.inputs)
        for parent in sorted(self._output_folders()):
            if not parent.is_absolute() and ".." not in parent.parts and "$(" not in str(parent):
                self._make_output_folder(parent)

    def _output_folders(self) -> set[Path]:
        """Where the logs of all processes are to be; HTCondor makes no folders for them."""
        names = [name for name in ("output", "error", "log") if self.commands.get(name)]
        processes = range(self.job.num_jobs)
        return {Path(self._expanded(name, process)).parent for name in names for process in processes}

    def _make_output_folder(self, relative: Path) -> None:
        folder = self.folders.iwd
        for part in relative.parts:
            folder = folder / part
            if folder.is_symlink():
                raise InvalidAttribute(f"attributes: output: {relative} leads through a link")
            folder.mkdir(mode=0o700, exist_ok=True)
            self.files.open_up(folder)

    # --- inputs

    def _named_inputs(self) -> Iterable[tuple[Path, str]]:
        """Each input with its name in the sandbox; URLs, which HTCondor fetches itself, are put aside."""
        for entry in dict.fromkeys([*self.job.remote_input_files, *self._transferred()]):
            if "://" in entry:
                self.urls.append(entry)
                continue
            path = self.files.resolve(entry)
            if not path.exists():
                raise EngineRefused(f"remote_input_files: {entry} is not there")
            if entry.endswith("/") and path.is_dir():
                yield from ((inner, inner.name) for inner in sorted(path.iterdir()))
            else:
                yield path, Path(entry).name

    def _transferred(self) -> Iterable[str]:
        """The entries of `transfer_input_files`, of all processes: each finds those of the others too."""
        for process in range(self.job.num_jobs if "$(" in self.commands.get("transfer_input_files") else 1):
            yield from as_list(self._expanded("transfer_input_files", process))

    def _expanded(self, command: str, process: int) -> str:
        return self.commands.expanded(command, process=process, job_name=job_name(self.job, self.commands))

    def _put_opened(self) -> None:
        """Lay out what HTCondor's client would open by name here: standard input, and a container's image."""
        for command in ("input", "container_image"):
            named = self.commands.get(command)
            if not named or named == "/dev/null" or "://" in named or self.folders.shared:
                continue
            if "$(" in str(Path(named).parent):
                raise EngineRefused(f"attributes: {command}: {named}: only the name of the file may differ by process")
            folder = self.folders.attempt / command
            folder.mkdir(mode=0o700)
            for process in range(self.job.num_jobs if "$(" in named else 1):
                path = self.files.resolve(self._expanded(command, process))
                if not path.is_file():
                    raise EngineRefused(f"attributes: {command}: {path} is not there")
                self.files.put(path, folder / Path(self._expanded(command, process)).name)
            self.commands.set(command, str(folder / Path(named).name))

    @property
    def token_file(self) -> Path:
        """Where the attempt's callback token lies; it is at the top of the sandbox, or its path holds on the pool too."""
        return (self.folders.attempt if self.folders.direct else self.folders.inputs) / TOKEN_FILE

    # --- the program

    def _program(self) -> tuple[str, bool]:
        """Path of the program, and whether it travels."""
        named = self.commands.get("executable")
        if not named:
            raise EngineRefused("attributes: executable: a job needs one, for example 'my_script.py'")
        if not self.commands.program_travels:
            return named, False
        beside = [Path(entry) for entry in self.job.remote_input_files if Path(entry).name == named]
        path = self.files.resolve(str(beside[0]) if beside else named)
        if not path.is_file():
            where = (
                "is among remote_input_files" if beside else f"lies in {self.folders.base}, nor is it an installed one"
            )
            raise EngineRefused(f"attributes: executable: {named}: no such file {where} (/usr/bin/…)")
        folder = self.folders.attempt / "program"
        folder.mkdir(mode=0o700)
        self.files.open_up(folder)
        target = folder / Path(named).name  # not the real name behind a link, at which nobody has looked
        self.files.put(path, target)
        if self.folders.direct:
            target.chmod(0o750)
        return str(target), not self.folders.direct

    def _staged(self, program: tuple[str, bool]) -> Staged:
        executable, travels = program
        if self.folders.direct:
            return Staged(executable, False, [])
        awkward = [entry for entry in self.folders.inputs.iterdir() if " " in entry.name or "\t" in entry.name]
        if awkward:
            self._put_aside(awkward)
            if travels:
                inside = self.folders.inputs / PROGRAM
                Path(executable).rename(inside)
                executable = f"./{PROGRAM}"
            executable, travels = str(self._starter(executable, [entry.name for entry in awkward])), True
        inputs = os.path.relpath(self.folders.inputs, self.folders.iwd) + "/"
        return Staged(executable, travels, [inputs, *self.urls])

    def _put_aside(self, entries: Iterable[Path]) -> None:
        aside = self.folders.inputs / FOLDER
        aside.mkdir(mode=0o700)
        self.files.open_up(aside)
        for entry in entries:
            entry.rename(aside / entry.name)

    def _starter(self, program: str, names: Iterable[str]) -> Path:
        path = self.folders.attempt / "jobdeck-start"
        path.write_text(starter(program, names))
        self.files.open_up(path)
        path.chmod(0o750)
        return path
