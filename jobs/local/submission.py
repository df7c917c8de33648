"""What a command finds when it starts: its input files, its environment, the token to report with."""

import os
import shutil
from pathlib import Path

from jobs.engine import EngineRefused
from jobs.manager import callback_url

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL")
"""Variables of the worker that a command gets; the others may hold secrets of the site (SECRET_KEY, DATABASE_URL)."""


def copy_inputs(job, workspace: Path) -> None:
    """Copy the job's input files into its workspace; each whole or not at all, again if a crash came between.

    Raises:
        EngineRefused: one is not there, is no file, or cannot be read or written.
    """
    for path in map(Path, job.input_files):
        source = path if path.is_absolute() else workspace / path
        target = workspace / source.name
        if source == target:
            continue
        aside = workspace / f".{source.name}.incoming"
        try:
            shutil.copy2(source, aside)
            aside.replace(target)
        except OSError as error:
            raise EngineRefused(
                f"input_files: {path} could not be copied into the workspace: {error.strerror or error}"
            ) from error


def write_token(job, folder: Path) -> Path:
    """Put the attempt's callback token into a file that only this account can read, and return its path."""
    path = folder / "callback-token"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(job.callback_token())
    return path


def environment(job, *, token_file: Path) -> dict[str, str]:
    """The complete environment of the command."""
    values = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    values["JOBDECK_JOB_ID"] = str(job.uuid)
    values["JOBDECK_CALLBACK_TOKEN_FILE"] = str(token_file)
    if url := callback_url(job.pk):
        values["JOBDECK_CALLBACK_URL"] = url
    # Progress should show while it is made, not when a buffer is full.
    values["PYTHONUNBUFFERED"] = "1"
    return values | job.environment
