"""Folders of apps, users and jobs, and files inside them that cannot lead out."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from jobs.conf import conf
from jobs.errors import InvalidAttribute


@dataclass(frozen=True)
class Workspace:
    """A folder of an app or of a user in an app; `path` is what seed 001's examples join names to."""

    path: str

    def __str__(self):
        return self.path


def app_workspace(label: str) -> Workspace:
    """The folder of an app, made if need be."""
    return _made(conf.data_dir / "workspaces" / label / "app")


def user_workspace(label: str, user) -> Workspace:
    """The folder of a user in an app, made if need be. Named by the user's key: names change and may hold anything."""
    return _made(conf.data_dir / "workspaces" / label / "users" / str(user.pk))


def _made(path: Path) -> Workspace:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Workspace(str(path))


def default_workspace_path(job) -> Path:
    """Where a job works if its author names no folder: `<user workspace>/<job uuid>`."""
    return conf.data_dir / "workspaces" / job.label / "users" / str(job.user_id) / str(job.uuid)


def workspace_path(job) -> Path:
    """The job's folder, which need not exist yet."""
    return Path(job.workspace).absolute() if job.workspace else default_workspace_path(job)


def make_workspace(job) -> Path:
    """Make the job's folder if need be and return it."""
    path = workspace_path(job)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def remove_workspace(job) -> None:
    """Remove the folder that Jobdeck made for the job. A path that the author gave is never removed."""
    path = default_workspace_path(job)
    if workspace_path(job) == path and path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """A regular file in a workspace: its path relative to it with forward slashes, bytes, and time of last change."""

    name: str
    size: int
    modified: datetime


DEEPEST = 50
"""Folders inside one another that are listed; a job may make any number."""


def list_files(folder: Path, limit: int = 1000) -> list[WorkspaceFile]:
    """The regular files below `folder`, sorted by name, at most `limit`; links are neither shown nor followed."""
    found = []
    for name, info in _walk(folder):
        found.append(WorkspaceFile(name, info.st_size, datetime.fromtimestamp(info.st_mtime, UTC)))
        if len(found) >= limit:
            break
    return sorted(found, key=lambda file: file.name)


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files below `folder`; what vanishes or cannot be read meanwhile, as a job at work does, is left out."""
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        inner = []
        for name, info in _entries(folder, parts):
            if stat.S_ISREG(info.st_mode):
                yield "/".join((*parts, name)), info
            elif stat.S_ISDIR(info.st_mode) and len(parts) < DEEPEST:
                inner.append((*parts, name))
        waiting += reversed(inner)


def _entries(folder: Path, parts: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    try:
        opened = _open_folder(folder, parts, "/".join(parts))
    except (OSError, InvalidAttribute):
        return []
    found = []
    try:
        for name in sorted(os.listdir(opened)):  # noqa: PTH208 a handle, which no link can redirect
            with contextlib.suppress(OSError):
                found.append((name, os.stat(name, dir_fd=opened, follow_symlinks=False)))
    finally:
        os.close(opened)
    return found


def open_inside(folder: Path, name: str):
    """Open a regular file below `folder` for reading bytes.

    Every folder on the way is opened relative to the one before without following links, so that no name, no link and no
    swap while we look leads out.

    Raises:
        InvalidAttribute: the name leads out of the folder or through a link.
        FileNotFoundError: there is no such regular file.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise InvalidAttribute(f"file: {name!r} does not name a file inside the job's workspace")
    inner = _open_folder(folder, parts[:-1], name)
    try:
        file = _open_at(inner, parts[-1], os.O_NONBLOCK, name)
    finally:
        os.close(inner)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(f"{name} is not a regular file")
    return os.fdopen(file, "rb")


def _open_folder(folder: Path, parts: tuple[str, ...], name: str) -> int:
    current = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            following = _open_at(current, part, os.O_DIRECTORY, name)
            os.close(current)
            current = following
    except BaseException:
        os.close(current)
        raise
    return current


def _open_at(folder: int, part: str, flags: int, name: str) -> int:
    try:
        return os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    except (FileNotFoundError, PermissionError) as error:
        raise FileNotFoundError(f"{name}: no such file in the workspace") from error
    except (OSError, UnicodeEncodeError) as error:
        raise InvalidAttribute(f"file: {name!r} leads through a link or is no file of the workspace") from error


def allowed_root(job, resolved: Path) -> Path | None:
    """The folder that makes a path one of those that a user's job may name: its workspace or a shared one; or None.

    The data folder holds what is nobody's business: tokens, other people's workspaces. A shared folder above it gives no
    right to what is in it.
    """
    own, data = workspace_path(job).resolve(), conf.data_dir.resolve()
    if resolved.is_relative_to(own):
        return own
    for folder in (shared.resolve() for shared in conf.shared_folders):
        private = data.is_relative_to(folder) and (resolved.is_relative_to(data) or data.is_relative_to(resolved))
        if resolved.is_relative_to(folder) and not private:
            return folder
    return None


def resolve_named_path(job, path: str, *, from_app_code: bool) -> Path:
    """A path that a caller named on this host, absolute; relative ones start in the job's workspace.

    Raises:
        InvalidAttribute: the caller is not app code, and the path (links followed) lies neither in the job's workspace nor
            in one of `JOBS["SHARED_FOLDERS"]`.
    """
    try:
        resolved = (workspace_path(job) / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a ring, a NUL character
        raise InvalidAttribute(f"{path!r} does not name a file: {error}") from error
    if from_app_code:
        return resolved
    if allowed_root(job, resolved) is not None:
        return resolved
    raise InvalidAttribute(
        f"{path}: lies outside the job's workspace and of the shared folders "
        f"({', '.join(map(str, conf.shared_folders)) or 'none are set: JOBDECK_SHARED_FOLDERS'})"
    )


def move_into(folder: Path, source: Path) -> None:
    """Move all regular files below `source` to the same names below `folder`, in place of what is there.

    No link in `folder` is followed, and none in `source` is moved: neither may lead what a job brought out of its folder.
    Broken off and done again it comes to the same.

    Raises:
        InvalidAttribute: a folder on the way is a link, or a folder has the name of a file.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    open_up(source)
    for name, _ in list(_walk(source)):
        *parents, last = PurePosixPath(name).parts
        target = _open_made(folder, tuple(parents), name)
        origin = _open_folder(source, tuple(parents), name)
        try:
            _move(last, origin, target, name)
        finally:
            os.close(origin)
            os.close(target)
    left = [path for path, _ in _all_files(source)]
    if left:
        raise InvalidAttribute(f"file: {left[0]} cannot be moved: it lies in more than {DEEPEST} folders")


def open_up(folder: Path) -> None:
    """Have every folder be one that can be listed and changed: a job may have left it otherwise."""
    for where, folders, _ in os.walk(folder):  # from above: each is opened before it is entered
        for name in folders:
            inner = Path(where, name)
            if not inner.is_symlink():
                inner.chmod(0o700)


def _all_files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All regular files below a folder, however deep; what cannot be listed is an error."""

    def fail(error: OSError):
        raise error

    for where, _, files in os.walk(folder, onerror=fail):
        for name in files:
            info = Path(where, name).lstat()
            if stat.S_ISREG(info.st_mode):
                yield Path(where, name), info


def _move(last: str, origin: int, target: int, name: str) -> None:
    try:
        os.replace(last, last, src_dir_fd=origin, dst_dir_fd=target)
    except IsADirectoryError as error:
        raise InvalidAttribute(f"file: {name!r} cannot be put in the place of the folder of that name") from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = f".{last}.incoming"
        with (
            os.fdopen(_open_at(origin, last, 0, name), "rb") as read,
            os.fdopen(_new_file(target, aside, os.fstat(read.fileno()).st_mode), "wb") as write,
        ):
            shutil.copyfileobj(read, write, 1 << 20)
        os.replace(aside, last, src_dir_fd=target, dst_dir_fd=target)
        os.unlink(last, dir_fd=origin)


def _new_file(folder: int, name: str, mode: int) -> int:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, stat.S_IMODE(mode) & 0o777, dir_fd=folder)


def _open_made(folder: Path, parts: tuple[str, ...], name: str) -> int:
    """The folder below `folder`, made if need be, opened without following links."""
    current = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=current)
            following = _open_at(current, part, os.O_DIRECTORY, name)
            os.close(current)
            current = following
    except BaseException:
        os.close(current)
        raise
    return current
