"""The submit description of DAGMan itself, for a schedd that may be far away.

`condor_submit_dag` wants to be on the schedd's machine; what it would submit is written here (HTCondor manual,
'DAGMan: Submitting a DAG'; `condor_submit_dag -no_submit` prints it).
"""

from collections.abc import Mapping

from jobs.condor.classads import quoted
from jobs.condor.submission.description import LEAVE_IN_QUEUE
from jobs.condor.submission.folders import safe_name
from jobs.condor.workflows.dagfile import DAG_FILE
from jobs.condor.workflows.layout import DAG, RUN, Layout, Way

RESTART = 3
"""Exit code with which DAGMan asks to be started again (dagman_main.h)."""
PRINTED = "dagman.printed"
"""What DAGMan prints, beside its log."""


def describe_dagman(name: str, layout: Layout, marks: Mapping[str, str], *, dagman: str) -> str:
    """The submit description of a workflow's attempt, without its `queue` line.

    Args:
        name: the workflow's.
        layout: of the attempt's files.
        marks: attributes of the job's ad, as ClassAd expressions.
        dagman: where the machine of the schedd has the program.
    """
    file = f"{DAG}/{DAG_FILE}"
    arguments = (
        # Whoever wrote DAG file and description is no condor_submit_dag of any version.
        f"-p 0 -f -l . -Lockfile {file}.lock -AutoRescue 1 -DoRescueFrom 0 -Dag {file} -Suppress_notification "
        f"-AllowVersionMismatch -CsdVersion '$CondorVersion: 10.0.0 2022-11-10 $' -Dagman {dagman}"
    )
    lines = {
        "universe": "scheduler",
        "executable": dagman,
        "transfer_executable": "false",
        "arguments": f'"{arguments}"',
        "environment": f'"_CONDOR_DAGMAN_LOG={file}.dagman.out _CONDOR_MAX_DAGMAN_LOG=0"',
        "initialdir": str(layout.iwd),
        "output": PRINTED,
        "error": f"{PRINTED}.errors",
        "remove_kill_sig": "SIGUSR1",
        "job_name": safe_name(name),
        # Not when DAGMan was killed or asks for it (exit code 3): then it is started again, and goes on. condor_submit_dag
        # has it so for all codes above 2, which abort_dag_on_return_value may be.
        "on_exit_remove": f"(ExitSignal =?= 11 || (ExitCode =!= UNDEFINED && ExitCode != {RESTART}))",
        "leave_in_queue": LEAVE_IN_QUEUE,
        "My.OtherJobRemoveRequirements": '"DAGManJobId =?= $(cluster)"',
        "My.JobBatchName": quoted(name.replace("$", "_")),
        **{f"My.{mark}": value for mark, value in marks.items()},
    }
    if layout.way is Way.SPOOLED:
        lines |= {
            "should_transfer_files": "YES",
            "when_to_transfer_output": "ON_EXIT",
            "transfer_input_files": "../in/",
            "transfer_output_files": f"{RUN}, {DAG}",
        }
    return "\n".join([*(f"{key} = {value}" for key, value in lines.items()), ""])
