"""What tasks start from: a JSON value each, as lines of one file in the workspace, and files for single tasks.

A million values are one file and an index of where each begins, so that a run is made as quickly with them as they are
written, and a task's is found without reading the others'.
"""

import json
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobs.errors import InvalidAttribute
from jobs.workspaces import list_files, make_workspace, open_inside, workspace_path

VALUES = "inputs.jsonl"
INDEX = ".inputs.index"
FILES = "inputs"
"""The folder with a folder for each task that has files."""
_PLACE = struct.Struct("<Q")


class NoInput(Exception):
    """The file with the inputs is there no more, or is not what was written."""


class Inputs:
    """The inputs of a run's tasks: `inputs[7]` is the JSON value of task 7, None where there are none."""

    def __init__(self, run):
        self._run = run

    @property
    def _folder(self) -> Path:
        return workspace_path(self._run)

    def write(self, lines: Sequence[str]) -> None:
        """Write one JSON text for each task."""
        folder = make_workspace(self._run)
        places = bytearray()
        draft = folder / f"{VALUES}.draft"
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            place = 0
            for line in lines:
                places += _PLACE.pack(place)
                place += file.write(line) + file.write("\n")  # ASCII: a character is a byte
        (folder / INDEX).write_bytes(places)
        draft.replace(folder / VALUES)

    def check(self, num_tasks: int) -> None:
        """See that there is an input for each task, where there are any.

        Raises:
            NoInput: some are missing.
        """
        index = self._folder / INDEX
        if index.is_file() and (not self.exist or index.stat().st_size != num_tasks * _PLACE.size):
            raise NoInput(f"{VALUES} was changed or taken away since the run was made")

    @property
    def exist(self) -> bool:
        """Whether the run has a value for each task."""
        return (self._folder / VALUES).is_file()

    def __getitem__(self, number: int):
        if not self.exist:
            return None
        try:
            with open_inside(self._folder, INDEX) as index, open_inside(self._folder, VALUES) as values:
                place = _PLACE.unpack(os.pread(index.fileno(), _PLACE.size, number * _PLACE.size))[0]
                values.seek(place)
                return json.loads(values.readline())
        except (OSError, struct.error, ValueError, InvalidAttribute) as error:
            raise NoInput(f"the input of task {number} cannot be read from {VALUES}: {error}") from error

    def __iter__(self) -> Iterator:
        if self.exist:
            with open_inside(self._folder, VALUES) as values:
                yield from map(json.loads, values)

    def files_of(self, number: int) -> list[str]:
        """Names of the files that were put there for a task."""
        folder = self._folder / FILES / str(number)
        return [file.name for file in list_files(folder)] if folder.is_dir() else []
