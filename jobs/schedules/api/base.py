"""What the views of schedules and agents have in common."""

from uuid import UUID

from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.errors import answer_for
from jobs.schedules.access import may_manage_agents, may_see_agents, visible_schedule_or_404
from jobs.schedules.editing import ScheduleInvalid, ScheduleNotAllowed
from jobs.schedules.enrolment import EnrolInvalid
from jobs.schedules.models import Agent, Execution, Schedule


class ScheduleView(ApiView):
    """A view that answers what is wrong about schedules and agents in the shape of all errors of REST."""

    def get_exception_handler(self):
        return _answer_for

    def said(self, kind: type[serializers.Serializer], *, partial: bool = False) -> dict:
        """The body, as the serializer takes it; what was not said is left out.

        Raises:
            ValidationError: by field, what is wrong with it.
        """
        serializer = kind(data=dict(self.body()), partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def schedule(self, uuid: UUID) -> Schedule:
        """The schedule, if the caller may see it, and so act on it.

        Raises:
            Http404: there is none, or it is somebody else's.
        """
        return visible_schedule_or_404(self.request.user, uuid=uuid)

    def execution(self, uuid: UUID) -> Execution:
        """The execution, if the caller may see its schedule.

        Raises:
            Http404: there is none, or it is of somebody else's schedule.
        """
        mine = Execution.objects.filter(pk=uuid, schedule__in=Schedule.objects.visible_to(self.request.user))
        execution = mine.select_related("schedule", "agent", "job").first()
        if execution is None:
            raise Http404("No such execution.")
        return execution


class AgentsView(ScheduleView):
    """A view of agents, for whoever may see them."""

    def check_permissions(self, request):
        super().check_permissions(request)
        if not may_see_agents(request.user):
            raise exceptions.PermissionDenied(
                "You may not see agents, as you may not run commands; staff can permit it."
            )

    def check_manages(self) -> None:
        """Refuse whoever only sees agents.

        Raises:
            PermissionDenied: the caller does not manage them.
        """
        if not may_manage_agents(self.request.user):
            raise exceptions.PermissionDenied("You may look at agents, but not let them in, change or remove them.")

    def agent(self, uuid: UUID) -> Agent:
        """The agent.

        Raises:
            Http404: there is none, or it was removed.
        """
        agent = Agent.objects.enrolled().filter(uuid=uuid).first()
        if agent is None:
            raise Http404("No such agent.")
        return agent


def _answer_for(error: Exception, context: dict) -> Response | None:
    if isinstance(error, ScheduleInvalid | EnrolInvalid):
        error = exceptions.ValidationError({name: [text] for name, text in error.errors.items()})
    elif isinstance(error, ScheduleNotAllowed):
        error = exceptions.PermissionDenied(str(error))
    elif isinstance(error, Schedule.DoesNotExist):
        error = Http404("No such schedule.")  # deleted by another call, while this one was about to change it
    return answer_for(error, context)
