"""An attempt, made ready to be submitted: its files laid out, and its submit description written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jobs.condor.models import CondorScheduler
from jobs.condor.outputs import remove_own
from jobs.condor.reach import Reach, Sandbox
from jobs.condor.submission.allowlist import Refusal, check_attributes, check_form
from jobs.condor.submission.commands import Commands
from jobs.condor.submission.description import describe, variables_of
from jobs.condor.submission.folders import Folders, folders_of
from jobs.condor.submission.placing import TOKEN_FILE
from jobs.condor.submission.staging import Staging
from jobs.conf import conf
from jobs.engine import EngineRefused
from jobs.errors import InvalidAttribute
from jobs.manager import callback_url


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there is to be submitted.

    Attributes:
        text: the submit description, without `queue`.
        folders: of the attempt.
        size: bytes of what travels to each process.
        tag: the attempt's.
    """

    text: str
    folders: Folders
    size: int
    tag: str

    @property
    def sandbox(self) -> Sandbox | None:
        """The folder that travels; None where the pool mounts it."""
        return None if self.folders.shared else Sandbox(self.folders.attempt, self.tag)


@contextmanager
def refusing(job, scheduler: CondorScheduler) -> Iterator[Folders]:
    """The folders of the job's attempt; of one that is refused in the block nothing is left.

    Raises:
        EngineRefused: also for what a check refuses.
    """
    try:
        folders = folders_of(job, job.tag, scheduler.shared_folders)
    except InvalidAttribute as error:
        raise EngineRefused(str(error)) from error
    try:
        yield folders
    except (Refusal, InvalidAttribute) as error:
        remove_own(folders)
        raise EngineRefused(str(error)) from error
    except EngineRefused:
        remove_own(folders)
        raise


def prepare_job(job, scheduler: CondorScheduler, reach: Reach) -> Prepared:
    """Lay out the attempt of a CondorJob.

    Raises:
        EngineRefused: it cannot run as it is; nothing is left of it.
        EngineUnavailable: not now.
    """
    with refusing(job, scheduler) as folders:
        check_form(job)
        if job.restricted:
            check_attributes(job)
        commands = Commands(job.condorpy_template_name, job.attributes)
        staging = Staging(job, commands, folders, scheduler.shared_folders)
        staged = staging.lay_out()
        token_file = str(staging.token_file) if folders.direct else TOKEN_FILE
        variables = variables_of(job, token_file=token_file, callback_url=callback_url(job.pk))
        text = describe(job.name, commands, folders, staged, tag=job.tag, instance=conf.INSTANCE, variables=variables)
        return Prepared(text, folders, staging.files.size, job.tag)
