"""The submit description of an attempt: a pure function of the job's commands and of where its files lie."""

from collections.abc import Mapping

from jobs.condor.classads import quoted
from jobs.condor.submission.commands import Commands, with_variables
from jobs.condor.submission.folders import Folders, safe_name
from jobs.condor.submission.staging import Staged
from jobs.engine import EngineRefused

DAYS_IN_QUEUE = 10
"""A job that is over stays in the queue until Jobdeck has its outputs, at most so long (HTCondor's own rule for spooled jobs)."""

VACATE = 30
"""Seconds that a program has to end after SIGTERM when its job is stopped, if its author says nothing else."""

LEAVE_IN_QUEUE = f"(JobStatus == 4 || JobStatus == 3) && (time() - EnteredCurrentStatus < {DAYS_IN_QUEUE * 24 * 3600})"


def describe(
    name: str,
    commands: Commands,
    folders: Folders,
    staged: Staged,
    *,
    tag: str,
    instance: str,
    variables: Mapping[str, str],
) -> str:
    """The submit description of an attempt, without its `queue` line.

    Args:
        name: the job's; `job_name` in the description is made of it, as condorpy does.
        commands: what template and author say; what the engine has to say itself comes over it.
        folders: the attempt's folders.
        staged: the attempt's files.
        tag, instance: what marks the attempt and this installation in the job's ad.
        variables: for the job's environment, beside its own.
    """
    for path in (str(folders.iwd), staged.executable, *variables.values()):
        if not path.isprintable():
            raise EngineRefused(f"attributes: {path!r}: a file's real name, links followed, must be one line of text")
    if not commands.is_own("job_name"):
        commands.set("job_name", safe_name(name))
    commands.set("initialdir", str(folders.iwd))
    commands.set("executable", staged.executable)
    commands.set("transfer_executable", staged.transfer_executable)
    commands.set("transfer_input_files", ", ".join(staged.inputs))
    commands.set("should_transfer_files", "NO" if folders.direct else "YES")
    if not commands.is_own("when_to_transfer_output"):
        # ON_EXIT_OR_EVICT, as condorpy's template has it, would bring back half a job's files before it starts anew.
        commands.set("when_to_transfer_output", "ON_EXIT")
    commands.set("environment", with_variables(commands.get("environment") or commands.get("env"), variables))
    if not commands.get("job_max_vacate_time"):
        commands.set("job_max_vacate_time", VACATE)
    if folders.direct:
        commands.drop("when_to_transfer_output", "transfer_output_files")
    commands.drop("env", "queue", "leave_in_queue")
    ours = [
        f"leave_in_queue = {LEAVE_IN_QUEUE}",
        f"My.JobdeckTag = {quoted(tag)}",
        f"My.JobdeckInstance = {quoted(instance)}",
        # HTCondor's client would expand a macro in it.
        f"My.JobBatchName = {quoted(name.replace('$', '_'))}",
    ]
    return "\n".join([*commands.lines(), *ours, ""])


def variables_of(job, *, token_file: str, callback_url: str) -> dict[str, str]:
    """What a job finds in its environment. The token is in a file: a job's ad can be read by everybody on the pool."""
    values = {
        "JOBDECK_JOB_ID": str(job.uuid),
        "JOBDECK_TAG": job.tag,
        "JOBDECK_CALLBACK_TOKEN_FILE": token_file,
    }
    if callback_url:
        values["JOBDECK_CALLBACK_URL"] = callback_url
    return values
