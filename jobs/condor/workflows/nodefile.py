"""The submit file of a job node, and the files that it starts with."""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from jobs.condor.submission.commands import Commands, as_list, with_variables
from jobs.condor.submission.description import DAYS_IN_QUEUE, VACATE
from jobs.condor.submission.placing import TOKEN_FILE, Placing
from jobs.condor.workflows.layout import Layout, Way
from jobs.engine import EngineRefused

LEAVE_IN_QUEUE = f"(JobStatus == 4) && (time() - EnteredCurrentStatus < {DAYS_IN_QUEUE * 24 * 3600})"
"""A node's job that has ended stays in the queue, so that its exit code is known, until the whole workflow is forgotten."""

_OWN = ("env", "queue", "leave_in_queue", "initialdir", "initial_dir", "job_iwd")


class NodeStaging:
    """Lays out one job node.

    Args:
        job: the node as a job (`form.NodeJob`).
        node: its row.
        layout: of the attempt.
        files: puts files into it.
        made_by_others: says in which folders of the workspace the nodes before it leave their outputs.
    """

    def __init__(self, job, node, layout: Layout, files: Placing, made_by_others: Callable[[], set[str]]):
        self.job = job
        self.node = node
        self.layout = layout
        self.files = files
        self.made_by_others = made_by_others
        self.commands = Commands(job.condorpy_template_name, job.attributes)
        own = Commands("", job.attributes).get("should_transfer_files")
        stays = own.upper() == "NO" if own else job.condorpy_template_name == "vanilla_nfs"
        self.direct = layout.way is Way.SHARED and stays
        """It works in its folder itself, and nothing travels."""

    def lay_out(self, marks: Mapping[str, str], variables: Mapping[str, str]) -> str:
        """Put its files in place; the text of its submit file.

        Args:
            marks: attributes of the job's ad, as ClassAd expressions.
            variables: for its environment, beside its own.

        Raises:
            EngineRefused: a file is not there, cannot be read, or may not be named.
        """
        own = self.layout.folders.base / self.layout.place_of(self.node)
        inputs = own if self.direct else self.files.make_folder(self.layout.inputs / self.node.name)
        beside = {Path(entry).name for entry in self.job.remote_input_files}
        for entry in self.job.remote_input_files:
            self._put(entry, "remote_input_files", inputs)
        listed = list(self._transferred(beside, inputs))
        for command in ("input", "container_image"):
            self._place_opened(command)
        executable, travels = self._program()
        self.files.put_token(self._token_file(inputs))
        self._make_log_folders()
        token_file = str(self._token_file(inputs)) if self.direct else TOKEN_FILE
        return self._text(
            executable,
            travels,
            [] if self.direct else [self.layout.from_node(inputs, self.node) + "/", *listed],
            marks,
            {**variables, "JOBDECK_NODE": self.node.name, "JOBDECK_CALLBACK_TOKEN_FILE": token_file},
        )

    def _text(self, executable, travels: bool, inputs: list[str], marks, variables: Mapping[str, str]) -> str:
        commands = self.commands
        if not commands.is_own("job_name"):
            commands.set("job_name", self.node.name)
        commands.drop(*_OWN)
        environment = with_variables(commands.get("environment"), variables)
        commands.set("environment", environment)
        commands.set("executable", executable)
        commands.set("transfer_executable", travels)
        commands.set("transfer_input_files", ", ".join(inputs))
        commands.set("should_transfer_files", "NO" if self.direct else "YES")
        if not commands.is_own("when_to_transfer_output"):
            commands.set("when_to_transfer_output", "ON_EXIT")
        if not commands.get("job_max_vacate_time"):
            commands.set("job_max_vacate_time", VACATE)
        if self.direct:
            commands.drop("when_to_transfer_output", "transfer_output_files")
        for path in (executable, *inputs):
            if not path.isprintable():
                raise self._refusal("attributes", f"{path!r}: a file's name must be one line of text")
        own = [f"leave_in_queue = {LEAVE_IN_QUEUE}", *(f"My.{name} = {value}" for name, value in marks.items())]
        return "\n".join([*commands.lines(), *own, f"queue {self.node.num_jobs}", ""])

    def _refusal(self, field: str, text: str) -> EngineRefused:
        return EngineRefused(f"nodes: {self.node.name}: {field}: {text}")

    def _expanded(self, command: str, process: int = 0) -> str:
        macros = {name.lower(): value for name, value in self.node.variables.items()}
        name = self.commands.get("job_name") if self.commands.is_own("job_name") else self.node.name
        return self.commands.expanded(command, **{**macros, "process": process, "job_name": name})

    def _processes(self, command: str) -> Iterable[int]:
        return range(self.node.num_jobs if "$(" in self.commands.get(command) else 1)

    # --- inputs

    def _put(self, entry: str, field: str, inputs: Path) -> None:
        path = self.files.resolve(entry)
        if not path.exists():
            raise self._refusal(field, f"{entry} is not there")
        self.files.put(path, inputs / Path(entry).name)

    def _transferred(self, beside: set[str], inputs: Path) -> Iterable[str]:
        """The entries of `transfer_input_files` that the submit file is to name; the others lie in `inputs`."""
        entries = [entry for n in self._processes("transfer_input_files") for entry in self._listed(n)]
        for entry in dict.fromkeys(entries):
            if "://" in entry:
                yield entry
            elif entry.startswith("/"):
                self._put(entry, "transfer_input_files", inputs)
            elif Path(entry).name not in beside or self._is_there(entry):  # else condorpy's way to say it once more
                self._bring_from_workspace(entry)
                yield entry

    def _listed(self, process: int) -> list[str]:
        return as_list(self._expanded("transfer_input_files", process))

    def _in_workspace(self, entry: str) -> str:
        """A name relative to the node's folder as one relative to the workspace."""
        name = posixpath.normpath(posixpath.join(self.layout.place_of(self.node), entry))
        if name.startswith(".."):
            raise self._refusal(
                "transfer_input_files",
                f"{entry}: leads out of the workflow's folder; name other files by their whole path",
            )
        return name

    @property
    def _may_come_later(self) -> bool:
        """A file that is not there now may be made by a node before this one, or by its own script."""
        return bool(self.made_by_others() or self.node.pre_script)

    def _is_there(self, entry: str) -> bool:
        return (self.layout.folders.base / self._in_workspace(entry)).exists()

    def _bring_from_workspace(self, entry: str) -> None:
        """Have a file of the workspace be there, unless a node before this one makes it."""
        name = self._in_workspace(entry)
        made = any(PurePosixPath(name).is_relative_to(folder) for folder in self.made_by_others())
        if made:
            return
        path = self.files.resolve(name)
        if not path.exists():
            if self._may_come_later:
                return
            raise self._refusal(
                "transfer_input_files",
                f"{entry} is not in the workspace ({self.layout.folders.base}), and no node comes before that could make it",
            )
        target = self.layout.run / name
        if self.layout.way is not Way.SHARED and not target.exists():
            self.files.make_folder(target.parent)
            self.files.put(path, target)

    def _place_opened(self, command: str) -> None:
        """Lay out what HTCondor would open by name where DAGMan runs: standard input, and a container's image."""
        named = self.commands.get(command)
        if not named or named == "/dev/null" or "://" in named:
            return
        if "$(" in str(Path(named).parent):
            raise self._refusal("attributes", f"{command}: {named}: only the name of the file may differ by process")
        folder = self.layout.inputs / f"{self.node.name}.{command}"
        for process in self._processes(command):
            text = self._expanded(command, process)
            path = self.files.resolve(text if text.startswith("/") else self._in_workspace(text))
            if not path.is_file():
                if not text.startswith("/") and self._may_come_later:
                    return
                raise self._refusal("attributes", f"{command}: {text} is not there")
            self.files.put(path, self.files.make_folder(folder) / Path(text).name)
        self.commands.set(command, self.layout.from_node(folder / Path(named).name, self.node))

    def _token_file(self, inputs: Path) -> Path:
        # Where nodes share a folder, each has a token of its own name.
        return self.layout.inputs / f"{self.node.name}{TOKEN_FILE}" if self.direct else inputs / TOKEN_FILE

    def _make_log_folders(self) -> None:
        """HTCondor makes no folders for logs."""
        base = self.layout.folders.base if self.layout.way is Way.SHARED else self.layout.run
        for command in ("output", "error", "log"):
            parent = Path(self._expanded(command)).parent
            if self.commands.get(command) and not parent.is_absolute() and "$(" not in str(parent):
                self.files.make_folder(base / self._in_workspace(str(parent)))

    # --- the program

    def _program(self) -> tuple[str, bool]:
        named = self._expanded("executable")
        if self.node.noop and not named:
            return "/bin/true", False
        if not named:
            raise self._refusal("attributes", "executable: a node needs one, for example 'my_script.py'")
        if not self.commands.program_travels:
            return named, False
        beside = [entry for entry in self.job.remote_input_files if Path(entry).name == named]
        path = self.files.resolve(beside[0] if beside else named)
        if not path.is_file():
            if not named.startswith("/") and self._may_come_later:
                self._in_workspace(named)
                return named, True
            raise self._refusal(
                "attributes",
                f"executable: {named}: no such file in {self.layout.folders.base}, nor is it "
                "among remote_input_files or an installed one (/usr/bin/…)",
            )
        folder = self.files.make_folder(self.layout.inputs / f"{self.node.name}.program")
        target = folder / Path(named).name
        self.files.put(path, target)
        if self.direct:
            target.chmod(0o750)
            return str(target), False
        return self.layout.from_node(target, self.node), True
