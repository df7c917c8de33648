"""`/api/schedules/`: found, made, read, changed, deleted, paused, resumed, and run at once."""

from uuid import UUID

from django.contrib.auth import get_user_model
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.openapi import described
from jobs.schedules.api import schemas
from jobs.schedules.api.base import ScheduleView
from jobs.schedules.api.documents import schedule_document
from jobs.schedules.api.inputs import RunNowSerializer, ScheduleInputSerializer
from jobs.schedules.api.paging import numbered
from jobs.schedules.api.query import Query
from jobs.schedules.editing import change_schedule, create_schedule, delete_schedule, pause, resume, run_now
from jobs.schedules.models import Agent, Schedule

SIZE = 100


class Schedules(ScheduleView):
    """The list, and new schedules."""

    changing_scope = "submit"

    @described(
        "list_schedules",
        "Schedules, page by page",
        answers={200: schemas.SchedulePageSerializer},
        parameters=schemas.SCHEDULES,
        errors=(400,),
        examples=[schemas.SCHEDULES_ANSWER],
        tag="schedules",
    )
    def get(self, request):
        """A page of the schedules that the caller may see, the newest first."""
        query = Query(request, "text", "enabled", "own", "user", size=SIZE)
        text, enabled, own, user = query.text("text"), query.flag("enabled"), query.flag("own"), query.text("user")

        def rows():
            found = Schedule.objects.visible_to(request.user).select_related("user")
            found = found.filter(name__icontains=text) if text else found
            found = found if enabled is None else found.filter(enabled=enabled)
            found = found.filter(**{f"user__{get_user_model().USERNAME_FIELD}": user}) if user else found
            return found.filter(user=request.user) if own else found

        return numbered(query, rows, lambda schedule: schedule_document(schedule, request.user))

    @described(
        "create_schedule",
        "A new schedule",
        request=ScheduleInputSerializer,
        answers={201: schemas.ScheduleSerializer},
        errors=(400,),
        examples=[schemas.NEW_COMMAND, schemas.NEW_JOB_SCHEDULE, schemas.SCHEDULE_ANSWER],
        tag="schedules",
    )
    def post(self, request):
        """A new schedule; its agents have it within seconds.

        Say `name`, `frequency`, one of `argv`, `shell` and `job_type`, and for a command where it runs: `on_all`, `on_names` or
        `on_tags`. Its name is the caller's for this schedule only: a request that arrives twice makes one, and is answered 400
        with `name` the second time.
        """
        schedule = create_schedule(request.user, **self.said(ScheduleInputSerializer))
        headers = {"Location": request.build_absolute_uri(f"{request.path}{schedule.uuid}/")}
        return Response(schedule_document(schedule, request.user), status=201, headers=headers)


class OneSchedule(ScheduleView):
    """One schedule."""

    def scope_for(self, request) -> str:
        # To change what is run is to have something run.
        return "submit" if request.method == "PATCH" else super().scope_for(request)

    @described(
        "read_schedule",
        "One schedule",
        answers={200: schemas.ScheduleSerializer},
        errors=(404,),
        examples=[schemas.SCHEDULE_ANSWER],
        tag="schedules",
    )
    def get(self, request, uuid: UUID):
        """All that is said of it."""
        return Response(schedule_document(self.schedule(uuid), request.user))

    @described(
        "change_schedule",
        "Change a schedule",
        request=ScheduleInputSerializer,
        answers={200: schemas.ScheduleSerializer},
        errors=(400, 404),
        examples=[schemas.CHANGED_SCHEDULE, schemas.SCHEDULE_ANSWER],
        tag="schedules",
    )
    def patch(self, request, uuid: UUID):
        """Change what is said; what is due from now on follows, what is running goes on.

        To run something of another kind instead, empty what was there: `{"argv": [], "shell": "du /srv | sort"}`.
        """
        schedule = self.schedule(uuid)
        values = self.said(ScheduleInputSerializer, partial=True)
        if values:
            schedule = change_schedule(schedule, by=request.user, **values)
        return Response(schedule_document(schedule, request.user))

    @described("delete_schedule", "Delete a schedule", answers={204: None}, errors=(404,), tag="schedules")
    def delete(self, request, uuid: UUID):
        """Remove it with its executions. What of it is running on agents is ended; jobs that it started stay."""
        delete_schedule(self.schedule(uuid))
        return Response(status=204)


class PauseSchedule(ScheduleView):
    """Pausing."""

    @described(
        "pause_schedule",
        "Pause a schedule",
        answers={200: schemas.ScheduleSerializer},
        errors=(404,),
        examples=[schemas.SCHEDULE_ANSWER],
        tag="schedules",
    )
    def post(self, request, uuid: UUID):
        """Nothing of it is due any more, until it is resumed; what runs goes on."""
        return Response(schedule_document(pause(self.schedule(uuid)), request.user))


class ResumeSchedule(ScheduleView):
    """Resuming."""

    changing_scope = "submit"

    @described(
        "resume_schedule",
        "Resume a schedule",
        answers={200: schemas.ScheduleSerializer},
        errors=(400, 404),
        examples=[schemas.SCHEDULE_ANSWER],
        tag="schedules",
    )
    def post(self, request, uuid: UUID):
        """It goes on with its next due time; those that passed meanwhile are none."""
        return Response(schedule_document(resume(self.schedule(uuid)), request.user))


class RunScheduleNow(ScheduleView):
    """Running beside the due times."""

    changing_scope = "submit"

    @described(
        "run_schedule_now",
        "Run a schedule now",
        request=RunNowSerializer,
        answers={202: schemas.ExecutionsMadeSerializer},
        errors=(400, 404),
        examples=[schemas.RUN_NOW, schemas.EXECUTIONS_MADE],
        tag="schedules",
    )
    def post(self, request, uuid: UUID):
        """Have it run beside its due times, also where it is paused; answers the ids of the executions."""
        schedule = self.schedule(uuid)
        names = self.said(RunNowSerializer).get("agents")
        made = run_now(schedule, None if names is None else self._agents(schedule, names))
        return Response({"executions": [str(one.pk) for one in made]}, status=202)

    def _agents(self, schedule: Schedule, names: list[str]) -> list[Agent]:
        if schedule.is_job:
            raise exceptions.ValidationError(
                {"agents": ["its job is started by the site, not by agents; leave it out"]}
            )
        found = {agent.name: agent for agent in Agent.objects.enrolled().filter(name__in=names)}
        if unknown := [name for name in dict.fromkeys(names) if name not in found]:
            raise exceptions.ValidationError(
                {"agents": [f"no agent of this name is enrolled here: {', '.join(unknown)}"]}
            )
        return list(found.values())
