"""Putting files of this host into the folder of an attempt: linked, copied, or opened to the pool where it mounts them."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.condor.bindings.failures import PASSING_ERRNOS
from jobs.condor.submission.folders import Folders, open_to_pool, refuse_links, shared_root
from jobs.engine import EngineRefused, EngineUnavailable
from jobs.errors import InvalidAttribute
from jobs.workspaces import allowed_root, open_inside, resolve_named_path, workspace_path

TOKEN_FILE = ".jobdeck-token"  # noqa: S105 the name of a file


@contextmanager
def failures_named() -> Iterator[None]:
    """Have what goes wrong with files be a no of the engine's, or a trouble that passes.

    Raises:
        EngineRefused: a file is not there, cannot be read, or may not be named.
        EngineUnavailable: this host has no room, or something else that may be better the next time.
    """
    try:
        yield
    except InvalidAttribute as error:
        raise EngineRefused(str(error)) from error
    except OSError as error:
        if error.errno in PASSING_ERRNOS:
            raise EngineUnavailable(f"{error.filename}: {error.strerror}") from error
        raise EngineRefused(f"{error.filename}: {error.strerror or error}") from error


class Placing:
    """Puts files into one attempt's folder.

    Args:
        job: whose files they are; `restricted` where somebody named them who is not trusted.
        folders: the attempt's.
        shared_folders: what the pool mounts too.
    """

    def __init__(self, job, folders: Folders, shared_folders: Iterable):
        self.job = job
        self.folders = folders
        self.shared_folders = list(shared_folders)

    def resolve(self, entry: str) -> Path:
        """The file that the job names; relative names start in its folder.

        Raises:
            InvalidAttribute: its maker may not name that.
        """
        named = entry if Path(entry).is_absolute() else str(self.folders.base / entry)
        return resolve_named_path(self.job, named, from_app_code=not self.job.restricted)

    def put(self, path: Path, target: Path) -> None:
        """Have the file, or all of the folder, be there.

        Raises:
            EngineRefused: HTCondor cannot carry a file of its name.
            InvalidAttribute: a link is in its place.
        """
        if "," in target.name:
            raise EngineRefused(
                f"remote_input_files: {target.name}: HTCondor cannot carry a file with a comma in its name; rename it"
            )
        if path == target:
            if self.folders.shared and not path.is_symlink() and not self._pool_may_read(path):
                self.open_up(path)
            return
        if path.is_dir():
            if target.is_symlink():
                raise InvalidAttribute(f"remote_input_files: {target.name}: there is a link of that name")
            target.mkdir(mode=0o700, exist_ok=True)
            for inner in sorted(path.iterdir()):
                self.put(inner, target / inner.name)
        elif self._may_be_linked(path):
            target.unlink(missing_ok=True)
            target.symlink_to(path)
        else:
            self.copy(path, target)
        if not target.is_symlink():
            self.open_up(target)

    def make_folder(self, folder: Path) -> Path:
        """Make a folder of the attempt that the pool can go into, with those above it that are not there."""
        if not folder.is_dir():
            self.make_folder(folder.parent)
            folder.mkdir(mode=0o700)
            self.open_up(folder)
        return folder

    def write(self, path: Path, text: str, *, mode: int = 0o600) -> None:
        """Write a file of Jobdeck's own making, never through what is there."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self.open_up(path)

    def put_token(self, path: Path) -> None:
        """Put the attempt's callback token there; a secret, for nobody but the pool's account."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self.job.callback_token())
            if self.folders.shared:
                # The pool's account has to read it; from others the folder above keeps it.
                os.fchown(descriptor, -1, self.folders.root.stat().st_gid)
                os.fchmod(descriptor, 0o640)

    def open_up(self, *paths: Path) -> None:
        """Let the pool's account in where it mounts them."""
        for path in paths if self.folders.shared else ():
            open_to_pool(path, self.folders.root)

    @property
    def size(self) -> int:
        """Bytes of all that lies in the attempt's folder."""
        files = (Path(where, name) for where, _, names in os.walk(self.folders.attempt) for name in names)
        return sum(file.stat().st_size for file in files if file.exists())

    def begin(self) -> None:
        """Make the attempt's folder anew, and have the pool come as far as to it."""
        folders = self.folders
        refuse_links(folders)
        shutil.rmtree(folders.attempt, ignore_errors=True)
        folders.attempt.mkdir(mode=0o700, parents=True)
        for folder in (workspace_path(self.job), folders.base, folders.base / ".jobdeck", folders.attempt.parent):
            if folders.shared and shared_root(folder, [folders.root]) and folder.resolve() != folders.root.resolve():
                open_to_pool(folder, folders.root)
        self.open_up(folders.attempt)

    def _may_be_linked(self, path: Path) -> bool:
        """Whether the file need not be copied: nobody who is not trusted says what this host opens, or the pool opens it."""
        if self.folders.shared:
            in_reach = shared_root(path, self.shared_folders) is not None
            return not self.folders.direct and in_reach and self._pool_may_read(path)
        return not self.job.restricted

    def _pool_may_read(self, path: Path) -> bool:
        info, group = path.stat(), self.folders.root.stat().st_gid
        return bool(info.st_mode & 0o004 or (info.st_mode & 0o040 and info.st_gid == group))

    def copy(self, path: Path, target: Path) -> None:
        """Have a copy of a file there, in place of what is there."""
        with self._open(path) as read:
            target.unlink(missing_ok=True)  # never through what is there: it may be a link
            made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(made, "wb") as write:
                shutil.copyfileobj(read, write, 1 << 20)
                os.fchmod(made, os.fstat(read.fileno()).st_mode & 0o700)

    def _open(self, path: Path):
        if not self.job.restricted:
            return path.open("rb")
        # What was looked at by name may be a link by now: from the folder on that is allowed, none is followed.
        root = allowed_root(self.job, path)
        if root is None:
            raise InvalidAttribute(f"{path}: lies outside the job's workspace and of the shared folders")
        return open_inside(root, path.relative_to(root).as_posix())
