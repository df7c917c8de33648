"""What became of the due times of a schedule, and its latest outputs."""

from uuid import UUID

from rest_framework.response import Response

from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.schedules.api import schemas
from jobs.schedules.api.base import ScheduleView
from jobs.schedules.api.documents import STATES, execution_document, whole_execution_document
from jobs.schedules.api.paging import by_due_time
from jobs.schedules.api.query import MOST, Query
from jobs.schedules.editing import stop_execution
from jobs.schedules.latest import latest_executions


class Executions(ScheduleView):
    """The executions of a schedule."""

    @described(
        "list_executions",
        "Executions of a schedule, page by page",
        answers={200: schemas.ExecutionPageSerializer},
        parameters=schemas.EXECUTIONS,
        errors=(400, 404),
        examples=[schemas.EXECUTIONS_ANSWER],
        tag="schedules",
    )
    def get(self, request, uuid: UUID):
        """A page of its executions without their outputs, the latest due time first."""
        schedule = self.schedule(uuid)
        query = Query(request, "agent", "state", "since", "until", size=MOST)
        agent, states = query.text("agent"), query.words("state", STATES)
        since, until = query.moment("since"), query.moment("until")

        def rows():
            found = schedule.executions.without_output().select_related("schedule", "agent", "job")
            found = found.filter(agent__name=agent) if agent else found
            found = found.filter(state__in=[STATES[word] for word in states]) if states else found
            found = found if since is None else found.filter(due__gte=since)
            return found if until is None else found.filter(due__lt=until)

        return by_due_time(query, rows, execution_document)


class OneExecution(ScheduleView):
    """One execution."""

    @described(
        "read_execution",
        "One execution, with its outputs",
        answers={200: schemas.WholeExecutionSerializer},
        errors=(404,),
        examples=[schemas.EXECUTION_ANSWER],
        tag="schedules",
    )
    def get(self, request, uuid: UUID):
        """All that is known of it. Of long outputs the beginning and the end are kept; the sizes are the true ones."""
        return Response(whole_execution_document(self.execution(uuid)))


class StopExecution(ScheduleView):
    """Ending one."""

    @described(
        "stop_execution",
        "Have an execution ended",
        answers={202: schemas.WholeExecutionSerializer},
        errors=(404, 409),
        examples=[schemas.EXECUTION_ANSWER],
        tag="schedules",
    )
    def post(self, request, uuid: UUID):
        """Have its agent end it, with all that it started. A job that a schedule started is stopped as a job."""
        execution = self.execution(uuid)
        if not stop_execution(execution):
            raise Conflict(_why_not(execution))
        return Response(whole_execution_document(self.execution(uuid)), status=202)


def _why_not(execution) -> str:
    if execution.job is not None:
        return f"Stop: this execution started the job {execution.job.uuid}; stop that one."
    if execution.stop_wanted is not None:
        return "Stop: its agent is told to end it already."
    if execution.agent is None:
        return "Stop: no agent runs it; it starts a job in a moment."
    return f"Stop: this execution is over ({execution.word})."


class Latest(ScheduleView):
    """The latest outputs."""

    @described(
        "read_latest_outputs",
        "The latest outputs of a schedule",
        answers={200: schemas.WholeExecutionsSerializer},
        errors=(404,),
        examples=[schemas.LATEST_ANSWER],
        tag="schedules",
    )
    def get(self, request, uuid: UUID):
        """The latest execution that ran on each agent that ever had the schedule, with its outputs, by agents' names."""
        schedule = self.schedule(uuid)
        found = latest_executions(schedule)
        for execution in found:
            execution.schedule = schedule
        return Response({"results": [whole_execution_document(execution) for execution in found]})
