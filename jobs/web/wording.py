"""What the pages say about actions: their buttons, the question before, the notice afterwards."""

from dataclasses import dataclass

from jobs.models import Action
from jobs.status import ACTIVE
from jobs.workspaces import default_workspace_path, workspace_path


@dataclass(frozen=True)
class Wording:
    """The words of one action.

    Attributes:
        button: on the button.
        notice: afterwards; `{name}` is the job's.
        under_way: beside the status until it is carried out.
        prominent: shown as a button in a table's row; the others are in the row's menu.
        question: asked first; empty for what can be undone.
        command: on the button that answers the question.
    """

    button: str
    notice: str
    under_way: str
    prominent: bool = False
    question: str = ""
    command: str = ""


WORDING: dict[str, Wording] = {
    Action.RUN: Wording("Run", "{name} starts as soon as there is room.", "starting", prominent=True),
    Action.PAUSE: Wording("Pause", "{name} is being paused.", "pausing"),
    Action.RESUME: Wording("Resume", "{name} goes on.", "resuming", prominent=True),
    Action.STOP: Wording(
        "Stop", "{name} is being stopped.", "stopping", prominent=True, question="Stop {name}?", command="Stop job"
    ),
    Action.RESUBMIT: Wording("Resubmit", "{name} runs once more, as a new attempt.", "starting again"),
    Action.RESCUE: Wording(
        "Resubmit what failed", "{name} goes on from where it failed, as a new attempt.", "starting again"
    ),
    Action.PROCESS_AGAIN: Wording(
        "Process again", "The results of {name} are processed once more.", "processing", prominent=True
    ),
    Action.DELETE: Wording(
        "Delete", "{name} was deleted.", "being deleted", question="Delete {name}?", command="Delete job"
    ),
}
"""All that the pages offer; an action that is not here cannot be reached by a page's URL."""


def consequence(action: str, job) -> str:
    """What answering the question of `action` with yes does to `job`."""
    if action == Action.STOP:
        if job.status_code in ACTIVE:
            return "It is ended together with everything it started. What it has written so far stays."
        return "It will not start. You can still look at it and run it again."
    first = "It is stopped first. " if job.status_code in ACTIVE else ""
    if workspace_path(job) == default_workspace_path(job):
        return f"{first}Its log, its results and its history are removed for good."
    return f"{first}Its log and its history are removed for good; the files in {workspace_path(job)} stay."
