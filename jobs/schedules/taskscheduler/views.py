"""The API of taskscheduler over HTTP. Errors are `{"error": "field: what is wrong"}`; its document names no form for them."""

from uuid import UUID, uuid4

from django.http import Http404
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from jobs.access.authentication import BasicLogin, TokenLogin
from jobs.access.parsers import BoundedJSONParser
from jobs.access.views import CallerView, headers_of
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.access import visible_schedule_or_404
from jobs.schedules.agent.command_line import argv_or_shell
from jobs.schedules.agent.timetable import FORM, FrequencyError, period_of
from jobs.schedules.authority import STATUSES, AgentCaller, CallRefused, SignedByAgent, SignsAnswers
from jobs.schedules.editing import ScheduleInvalid, ScheduleNotAllowed, create_schedule
from jobs.schedules.latest import latest_executions
from jobs.schedules.models import Agent, Execution, Schedule
from jobs.schedules.reporting import complete_bare
from jobs.schedules.taskscheduler import openapi
from jobs.schedules.taskscheduler.account import AccountLogin

LONGEST_NAME = 150


class NothingOpen(exceptions.APIException):
    """There is no execution that could be completed."""

    status_code = 409


class TaskSchedulerView(CallerView):
    """What all of them have in common."""

    authentication_classes = (AccountLogin, BasicLogin, TokenLogin)
    changing_scope = "submit"
    how_to_log_in = "Log in with the site's password (Basic), or with a token of scope submit."
    parser_classes = (BoundedJSONParser,)

    def check_permissions(self, request):
        super().check_permissions(request)
        if request.method not in SAFE_METHODS and not request.user.has_perm(RUN_COMMANDS):
            raise exceptions.PermissionDenied(f"{request.user} may not run commands here; staff can permit it.")

    def get_authenticate_header(self, request):
        return BasicLogin().authenticate_header(request)

    def get_exception_handler(self):
        return _answer_for

    def body(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict:
        """The body, with its fields.

        Raises:
            ParseError: it is none, or has other fields.
        """
        said = self.request.data
        if not isinstance(said, dict):
            raise exceptions.ParseError("the body must be a JSON object")
        known = (*required, *optional)
        if unknown := sorted(str(name) for name in set(said) - set(known)):
            # As ASCII: JSON has names that no answer can say again.
            raise exceptions.ParseError(f"{unknown[0][:40]!a}: is not known here; known are {', '.join(known)}")
        for name in required:
            if name not in said:
                raise exceptions.ParseError(f"{name}: is missing")
        return said

    def text(self, said: dict, name: str) -> str:
        """A field that must be a text, empty where it is left out.

        Raises:
            ParseError: it is something else.
        """
        value = said.get(name, "")
        if not isinstance(value, str):
            raise exceptions.ParseError(f"{name}: must be a text")
        return value

    def schedule(self, task_id: str) -> Schedule:
        """The caller's schedule of that id.

        Raises:
            NotFound: there is none; somebody else's is none, and what is no id neither.
        """
        try:
            if isinstance(self.request.user, AgentCaller):
                # An agent speaks of what it was told to run.
                mine = Schedule.objects.filter(uuid=UUID(task_id), assignments__agent=self.request.user.agent)
                return mine[:1].get()
            return visible_schedule_or_404(self.request.user, uuid=UUID(task_id))
        except (ValueError, Http404, Schedule.DoesNotExist):
            raise exceptions.NotFound("task_id: there is no such task") from None


class Create(TaskSchedulerView):
    """`/tasks/create`"""

    @openapi.call("create_scheduled_task", "A command again and again, on all agents", openapi.CREATE)
    def post(self, request):
        """The command is run on every agent that is enrolled, now or later; the first time after one interval."""
        said = self.body(("command", "frequency"))
        command, frequency = self.text(said, "command"), self.text(said, "frequency")
        if not command.strip():
            raise exceptions.ParseError("command: must be a text that says what is to be run")
        try:
            is_every = period_of(frequency) is not None
        except FrequencyError as error:
            raise exceptions.ParseError(f"frequency: {error}") from error
        if not is_every:
            raise exceptions.ParseError(f"frequency: must be of the form '{FORM}', for example 'every 30 seconds'")
        name = " ".join("".join(sign if sign.isprintable() else " " for sign in command).split())
        try:
            argv, shell = argv_or_shell(command)
        except ValueError as error:
            raise exceptions.ParseError(f"command: {error}") from error
        try:
            made = create_schedule(
                request.user,
                name=f"{name[:LONGEST_NAME]} ({uuid4().hex[:8]})",
                frequency=frequency,
                on_all=True,
                argv=argv,
                shell=shell,
            )
        except ScheduleInvalid as error:
            reason = error.errors.get("shell") or error.errors.get("argv")
            raise exceptions.ParseError(f"command: {reason}" if reason else str(error)) from error
        except ScheduleNotAllowed as error:
            raise exceptions.PermissionDenied(str(error)) from error
        return Response({"command_id": str(made.uuid)})


class LatestOutput(TaskSchedulerView):
    """`/tasks/{task_id}/latest_output`"""

    @openapi.call("read_latest_output", "The latest output of each agent", openapi.LATEST)
    def get(self, request, task_id: str):
        """Of the latest execution on each agent that is complete; `completion_time` is the latest of theirs."""
        found = latest_executions(self.schedule(task_id))
        times = [one.completed for one in found if one.completed is not None]
        return Response({"completion_time": max(times, default=None), "outputs": [_output(one) for one in found]})


def _output(execution: Execution) -> dict:
    texts = {"stdout": execution.stdout, "stderr": execution.stderr}
    return {"agent_id": str(execution.agent.uuid)} | {name: text for name, text in texts.items() if text}


class Complete(SignsAnswers, TaskSchedulerView):
    """`/tasks/{task_id}/complete`"""

    authentication_classes = (SignedByAgent, AccountLogin, BasicLogin, TokenLogin)

    def check_permissions(self, request):
        if not isinstance(request.user, AgentCaller):
            super().check_permissions(request)

    def get_throttles(self):
        # As the other calls of agents: they have no account in common that could be used up.
        return [] if isinstance(self.request.user, AgentCaller) else super().get_throttles()

    @openapi.call("complete_execution", "An execution is complete", openapi.COMPLETE)
    def post(self, request, task_id: str):
        """Closes the oldest execution of the task that is open on that agent, or the one that `execution_id` names.

        An agent of this site signs its call, and can speak for itself only; of it, what was said is said again without harm.
        """
        said = self.body(("server_id",), ("stdout", "stderr", "exit_code", "execution_id"))
        schedule = self.schedule(task_id)
        agent = self._agent(self.text(said, "server_id"))
        named = self._execution(said)
        code = said.get("exit_code", 0)
        if not isinstance(code, int) or isinstance(code, bool) or not -(2**31) <= code < 2**31:
            raise exceptions.ParseError("exit_code: must be a whole number")
        outputs = {name: self.text(said, name) for name in ("stdout", "stderr")}
        closed = complete_bare(schedule, agent, execution=named, exit_code=code, **outputs)
        if closed is None and named is not None:
            closed = schedule.executions.filter(pk=named, agent=agent, state=Execution.State.RAN).first()
        if closed is None:
            raise NothingOpen(f"no execution of the task is open on {agent}: nothing of it is due, or all is complete")
        return Response({"execution_id": str(closed.pk)})

    def _agent(self, text: str) -> Agent:
        caller = self.request.user
        if isinstance(caller, AgentCaller):
            if text not in (str(caller.agent.uuid), caller.agent.name):
                raise exceptions.PermissionDenied("server_id: an agent can speak for itself only")
            return caller.agent
        found = Agent.objects.enrolled()
        try:
            agent = found.filter(uuid=UUID(text)).first()
        except ValueError:
            # Names are ASCII; no database would be asked for what else a text of JSON may hold.
            agent = found.filter(name=text).first() if text.isprintable() and text.isascii() else None
        if agent is None:
            raise exceptions.NotFound("server_id: there is no such agent; give its id, or its name")
        return agent

    def _execution(self, said: dict) -> UUID | None:
        if "execution_id" not in said:
            return None
        try:
            return UUID(self.text(said, "execution_id"))
        except ValueError:
            raise exceptions.ParseError("execution_id: must be the id of an execution") from None


def _answer_for(error: Exception, context: dict) -> Response | None:
    if isinstance(error, CallRefused):
        return Response({"error": str(error.detail), "code": error.code}, status=STATUSES.get(error.code, 401))
    if isinstance(error, exceptions.APIException):
        return Response({"error": str(error.detail)}, status=error.status_code, headers=headers_of(error))
    return None
