"""Files on their way in: the body of a request becomes a file in a job's workspace, whole or not at all."""

import tempfile
from pathlib import Path

from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from jobs.access.errors import Conflict, LengthRequired
from jobs.access.parsers import TooLarge
from jobs.conf import conf
from jobs.errors import InvalidAttribute
from jobs.paging import number
from jobs.workspaces import make_workspace, move_into

CHUNK = 1 << 18


class AnyBytes(BaseParser):
    """A body that is a file, of whatever type; it is read as it comes."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        return stream


def receive(request, job, name: str) -> int:
    """Put the body of a request into the job's workspace under a name, in place of what is there.

    Returns:
        How many bytes it has.

    Raises:
        ValidationError: the name leads out of the workspace.
        LengthRequired: its length is not said.
        TooLarge: it is larger than is taken.
        Conflict: a link or a folder is in the way.
    """
    parts = Path(name).parts
    if name.startswith("/") or ".." in parts or name.endswith("/") or not name.isprintable():
        raise exceptions.ValidationError({"name": ["must name a file inside the job's workspace"]})
    limit = conf.UPLOAD_LIMIT
    length = number(request.headers.get("Content-Length"))
    if length is None:
        raise LengthRequired(
            "Say how long the file is (Content-Length); curl does for a file, not for its standard input."
        )
    if length > limit:
        raise TooLarge(f"A file may have {limit:,} bytes here.")
    folder = make_workspace(job)
    # In the workspace: what a killed process leaves there goes with the job.
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=folder) as place:
        target = Path(place, "files", name)
        target.parent.mkdir(parents=True)
        size = _take(request, target, limit)
        try:
            move_into(folder, Path(place, "files"))
        except (OSError, InvalidAttribute) as error:
            raise Conflict(f"{name} cannot be put there: {error}") from error
    return size


def _take(request, target: Path, limit: int) -> int:
    size = 0
    with target.open("wb") as file:
        while data := request.stream.read(CHUNK) if request.stream is not None else b"":
            size += len(data)
            if size > limit:
                raise TooLarge(f"A file may have {limit:,} bytes here.")
            file.write(data)
    return size
