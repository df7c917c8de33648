"""Where the files of an attempt are: in folders that travel, or in a shared folder that the pool mounts too."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from jobs.condor.submission.commands import Commands
from jobs.conf import conf
from jobs.engine import EngineRefused, parse_tag
from jobs.errors import InvalidAttribute
from jobs.workspaces import resolve_named_path, workspace_path


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one attempt.

    Attributes:
        base: where relative names of the job start and where its outputs come: its workspace, or its `initialdir`.
        direct: the job works in `base` itself, and nothing travels (`should_transfer_files = NO`, or condorpy's vanilla_nfs).
        attempt: Jobdeck's own folder for the attempt; gone when the attempt is forgotten.
        root: the shared folder in which `base` lies, or None.
    """

    base: Path
    direct: bool
    attempt: Path
    root: Path | None = None

    @property
    def shared(self) -> bool:
        """The pool mounts `base` at the same path: the job's files are read and written there."""
        return self.root is not None

    @property
    def inputs(self) -> Path:
        """What lies in it is at the top of the job's sandbox when it starts."""
        return self.base if self.direct else self.attempt / "in"

    @property
    def iwd(self) -> Path:
        """What HTCondor takes as the job's initial folder: outputs come here. Empty at first, where files travel."""
        return self.base if self.shared else self.attempt / "out"


def folders_of(job, tag: str, shared_folders) -> Folders:
    """The folders of an attempt of a job.

    Args:
        job: a CondorJob.
        tag: the attempt's.
        shared_folders: what the pool mounts too, absolute paths.

    Raises:
        InvalidAttribute: `initialdir` leads where the job's maker may not go.
    """
    base = base_folder(job)
    # What a user's job reads and writes here is opened by Jobdeck, link by link; in a shared folder the pool would open it.
    root = None if job.restricted else shared_root(base, shared_folders)
    attempt = spooled_folder(tag)
    if root is not None:
        attempt = base / ".jobdeck" / attempt.parent.name / attempt.name
    return Folders(base, root is not None and _stays(job), attempt, root)


def spooled_folder(tag: str) -> Path:
    """Jobdeck's own folder for an attempt whose files travel."""
    uuid, attempt = parse_tag(tag)
    return conf.data_dir / "condor" / uuid.hex / str(attempt)


def _stays(job) -> bool:
    """Whether the job's author wants it to work in the shared folder itself."""
    own = Commands("", job.attributes).get("should_transfer_files")
    return own.upper() == "NO" if own else job.condorpy_template_name == "vanilla_nfs"


def base_folder(job) -> Path:
    """The job's workspace, or the folder that its own `initialdir` names."""
    commands = Commands("", job.attributes)
    named = commands.expanded("initialdir", job_name=job_name(job, commands))
    if not named:
        return workspace_path(job)
    if "$(" in named:
        raise EngineRefused(
            f"attributes: initialdir: {named!r}: Jobdeck brings the outputs of all processes into one folder; "
            "put $(Process) into the names of the files instead"
        )
    return resolve_named_path(job, named, from_app_code=not job.restricted)


def shared_root(path: Path, shared_folders) -> Path | None:
    """The shared folder in which a path lies (links followed), or None."""
    resolved = path.resolve()
    return next((Path(root) for root in shared_folders if resolved.is_relative_to(Path(root).resolve())), None)


def open_to_pool(path: Path, root: Path) -> None:
    """Let the accounts of the shared folder's group into a job's file or folder; the pool's account should be one of them."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        info = os.fstat(descriptor)
        mode = stat.S_IMODE(info.st_mode)
        os.fchown(descriptor, -1, root.stat().st_gid)
        # To a folder the pool adds files, which are to have its group; of a file the group may do what its owner may.
        folder = stat.S_ISDIR(info.st_mode)
        os.fchmod(descriptor, mode | stat.S_ISGID | 0o070 if folder else mode | (mode & 0o700) >> 3)
    finally:
        os.close(descriptor)


def refuse_links(folders: Folders) -> None:
    """Look that no job put a link in the place of Jobdeck's own folders, which it may where the pool mounts them.

    Raises:
        InvalidAttribute: one did.
    """
    for folder in (folders.attempt, folders.attempt.parent, folders.attempt.parent.parent):
        if folders.shared and folder.is_symlink():
            raise InvalidAttribute(f"workspace: {folder}: a job put a link in the place of Jobdeck's own folder")


def job_name(job, commands: Commands) -> str:
    """What `$(job_name)` stands for: what the author says, else the job's name as it can stand in names of files."""
    return commands.get("job_name") if commands.is_own("job_name") else safe_name(job.name)


def safe_name(name: str) -> str:
    """A job's name as it can stand in names of files (condorpy's `job_name`)."""
    text = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)[:100]
    return text if text.strip(".") else "_" * len(text)  # '.' and '..' are folders
