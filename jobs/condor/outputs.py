"""After a job ended: its outputs brought into its folder, and Jobdeck's own files of the attempt removed.

HTCondor's client writes what it retrieves where the job's ad says at that moment, and whoever owns the job in the pool may
have changed the ad (measured). So it is looked at first, and all comes into a folder that is empty, and is moved from there.
"""

import logging
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from jobs.condor.bindings.transport import RETRIEVE
from jobs.condor.logs import log_names
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.condor.queue import any_of
from jobs.condor.reach import Reach, Sandbox
from jobs.condor.submission.folders import Folders, folders_of, refuse_links, spooled_folder
from jobs.engine import EngineRefused, Handle
from jobs.errors import InvalidAttribute
from jobs.status import Status
from jobs.workspaces import move_into, open_up

log = logging.getLogger(__name__)

AIMED = ("SUBMIT_Iwd", "SUBMIT_TransferOutputRemaps", "TransferOutputRemaps")
"""The attributes that say where."""


def folders_for(job: CondorJob, handle: Handle, scheduler: CondorScheduler) -> Folders:
    """The folders of an attempt that was submitted.

    Raises:
        EngineRefused: they cannot be told any more: a link leads elsewhere, or what its maker may name was narrowed.
    """
    try:
        return folders_of(job, handle.tag, scheduler.shared_folders)
    except InvalidAttribute as error:
        raise EngineRefused(f"Its folder cannot be used any more: {error}") from error


def fetch_outputs(job: CondorJob, handle: Handle, folders: Folders, reach: Reach) -> None:
    """Bring the outputs of an attempt that is over into its folder; what worked in a shared folder has them there.

    Raises:
        EngineRefused: they cannot be brought; they stay in the pool's queue, if they are there.
        EngineUnavailable: not now.
    """
    out = bring_outputs(job, handle, folders, reach)
    if out is not None:
        move_outputs(folders.base, out)


def move_outputs(folder: Path, out: Path) -> None:
    """Move what was brought into a folder of the workspace.

    Raises:
        EngineRefused: a job put a link, or a folder, in the way.
    """
    try:
        move_into(folder, out)
    except InvalidAttribute as error:
        raise EngineRefused(f"Its outputs could not be put into the workspace: {error}") from error


def bring_outputs(job, handle: Handle, folders: Folders, reach: Reach) -> Path | None:
    """Bring the outputs of an attempt that is over to this host, into the folder that is returned.

    Returns:
        The attempt's own folder for them; None where there are none to be brought: it worked in a shared folder, or never
        started.

    Raises:
        EngineRefused: they cannot be brought; they stay in the pool's queue, if they are there.
        EngineUnavailable: not now.
    """
    which = any_of([handle])
    ads = reach.query(which, ["ProcId", "NumJobStarts", "CompletionDate", "JobStatus", "Iwd", *AIMED])
    # Of how it was submitted the ad knows; the scheduler's shared folders may have been changed since.
    if (ads and not any(_has_travelled(ad, handle, reach) for ad in ads)) or (not ads and folders.shared):
        return None
    was_aborted = bool(job.ending) and job.ending["status"] == Status.ABORTED
    if not ads and job.ending and not was_aborted:
        raise EngineRefused(
            "Its outputs are lost: it was taken out of the pool's queue before they were fetched; resubmit it."
        )
    # A schedd that was killed has forgotten a start, though not the end, of what went on meanwhile.
    if not any(ad.get("NumJobStarts") or ad.get("CompletionDate") for ad in ads):
        return None
    sandbox = Sandbox(spooled_folder(handle.tag), handle.tag)
    out = sandbox.out
    if reach.spools:
        check_aim(ads, out, restricted=job.restricted)
    _empty(out, job, handle)
    # Twice as long at each try: it may only have been too short.
    deadline = RETRIEVE * 2 ** min(max(job.tries - 1, 0), 6)
    try:
        reach.retrieve(f"({which}) && (NumJobStarts > 0 || CompletionDate > 0)", sandbox, deadline=deadline)
    except EngineRefused as error:
        if not was_aborted:
            raise EngineRefused(
                f"Its outputs could not be fetched; they stay in the pool's queue as job {handle.external_id}: {error}"
            ) from error
        log.info("%s: nothing could be fetched of an attempt that was removed: %s", handle.tag, error)
    return out


def _has_travelled(ad: Mapping, handle: Handle, reach: Reach) -> bool:
    """Whether the files of a process were sent to the pool: spooled by the schedd, or into a folder of the attempt's name."""
    return "SUBMIT_Iwd" in ad if reach.spools else handle.tag in PurePosixPath(ad.get("Iwd") or "").parts


def check_aim(ads: Iterable[Mapping], folder: Path, *, restricted: bool) -> None:
    """Look that all of it comes into `folder`; app code may have had files renamed to elsewhere.

    Raises:
        EngineRefused: somebody has changed that.
    """
    for ad in ads:
        if ad.get("SUBMIT_Iwd") != str(folder):
            raise EngineRefused(
                "Its outputs are not fetched: somebody changed in the pool's queue where they are to go, or DATA_DIR is "
                "another folder than when the job was submitted."
            )
        for name in AIMED[1:] if restricted else ():
            if any(_leads_out(piece) for piece in re.split(r"[;=]", ad.get(name) or "")):
                raise EngineRefused(
                    "Its outputs are not fetched: somebody had them renamed, in the pool's queue, to outside of its folder."
                )


def _leads_out(text: str) -> bool:
    path = PurePosixPath(text.strip())
    return path.is_absolute() or ".." in path.parts or "://" in text


def _empty(out: Path, job: CondorJob, handle: Handle) -> None:
    """An empty folder for what comes, with the folders for logs in it, which HTCondor does not make."""
    if out.is_dir():
        open_up(out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(mode=0o700, parents=True)
    for relative in {path.parent for _, path in log_names(job, handle.external_id, job.num_jobs)}:
        if not relative.is_absolute() and ".." not in relative.parts:
            (out / relative).mkdir(mode=0o700, parents=True, exist_ok=True)


def forget_files(job: CondorJob | None, handle: Handle, scheduler: CondorScheduler) -> bool:
    """Remove Jobdeck's own folders of an attempt; whether there were any."""
    had_files = _remove(spooled_folder(handle.tag))
    if job is None:
        return had_files
    try:
        folders = folders_for(job, handle, scheduler)
    except EngineRefused as error:
        log.warning("%s: what it left in its folder stays there: %s", handle.tag, error)
        return had_files
    return remove_own(folders) or had_files


def remove_own(folders: Folders) -> bool:
    """Remove the attempt's own folder, but nothing behind a link that a job put in its place; whether there was one."""
    try:
        refuse_links(folders)
    except InvalidAttribute as error:
        log.warning("what an attempt left stays there: %s", error)
        return False
    return _remove(folders.attempt)


def _remove(folder: Path) -> bool:
    had_one = folder.is_dir() and not folder.is_symlink()
    if had_one:
        open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)
    # Also where there was none: a crash may have come after it went, and before the ones above it.
    for parent in (folder.parent, folder.parent.parent):
        try:
            parent.rmdir()
        except OSError:
            break
    return had_one
