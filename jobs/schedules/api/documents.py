"""What REST says of schedules, executions and agents: plain dictionaries."""

from jobs.schedules.access import shown_values
from jobs.schedules.editing import SETTABLE
from jobs.schedules.models import Agent, EnrolToken, Execution, Schedule

STATES = {Execution.State(value).label: value for value in Execution.State.values}
"""What may be said of an execution's state, and its code in the database."""
_FACTS = (
    *("tags", "enrolled", "last_seen", "version", "host", "system", "account", "folder", "allowed", "cores", "load"),
    *("running", "unsent", "dropped", "started", "clock_difference", "address", "refused", "refused_time"),
    "refused_reason",
)


def schedule_document(schedule: Schedule, user) -> dict:
    """All that is said of a schedule to `user`."""
    values = {name: getattr(schedule, name) for name in SETTABLE} | {"job_values": shown_values(schedule, user)}
    return {
        "id": str(schedule.uuid),
        "user": schedule.user.get_username(),
        **values,
        "created": schedule.created,
        "version": schedule.version,
        "next_due": schedule.next_due if schedule.enabled else None,
    }


def execution_document(execution: Execution) -> dict:
    """An execution as lists have it: without its outputs."""
    agent, job = execution.agent, execution.job
    return {
        "id": str(execution.pk),
        "schedule": str(execution.schedule.uuid),
        "agent": agent.name if agent else None,
        "agent_id": str(agent.uuid) if agent else None,
        "due": execution.due,
        "state": execution.get_state_display(),
        "outcome": execution.word,
        "asked": execution.asked,
        "assumed": execution.assumed,
        "reason": execution.reason,
        "started": execution.started,
        "completed": execution.completed,
        "seconds": execution.seconds,
        "exit_code": execution.exit_code,
        "stdout_size": execution.stdout_size,
        "stderr_size": execution.stderr_size,
        "reported": execution.reported,
        "stop_wanted": execution.stop_wanted,
        "job": str(job.uuid) if job else None,
    }


def whole_execution_document(execution: Execution) -> dict:
    """An execution with its outputs, as far as they are kept."""
    return {**execution_document(execution), "stdout": execution.stdout, "stderr": execution.stderr}


def agent_document(agent: Agent) -> dict:
    """All that is said of an agent; its key and session are nobody's business."""
    return {
        "id": str(agent.uuid),
        "name": agent.name,
        **{name: getattr(agent, name) for name in _FACTS},
        "silent": agent.is_silent,
        "wrong_clock": agent.has_wrong_clock,
        "up_to_date": agent.told == agent.revision,
    }


def enrol_token_document(token: EnrolToken) -> dict:
    """What is known of a token; its text is not."""
    return {
        "id": token.pk,
        "ending": token.ending,
        "name": token.name,
        "tags": token.tags,
        "made_by": token.made_by.get_username() if token.made_by else None,
        "created": token.created,
        "expires": token.expires,
        "used": token.used,
        "agent": str(token.agent.uuid) if token.agent else None,
    }
