"""A run as a whole: how far it is, who may work on it, its workers; tasks that are to be computed again."""

from uuid import UUID

from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.openapi import described
from jobs.farm.access import Place, accounts_called
from jobs.farm.api import schemas
from jobs.farm.api.base import FarmView
from jobs.farm.models import FarmAttempt, FarmRun, FarmWorker, Phase
from jobs.farm.restarting import restart
from jobs.farm.totals import Totals, eta_of, totals_of


def state_of(place: Place) -> str:
    """What workers get of the run, in a word."""
    return Phase(place.phase).label if place.phase else "new"


class OneRun(FarmView):
    """How far a run is, and who may work on it."""

    @described(
        "read_farm_run",
        "How far a run is",
        answers={200: schemas.FarmRunStateSerializer},
        parameters=[schemas.EXACT],
        errors=(404,),
        examples=[schemas.RUN_ANSWER],
        tag="farm",
    )
    def get(self, request, uuid: UUID):
        """Totals of a moment at most two seconds ago (`as_of`); with `?exact=1` of this one."""
        place = self.place(uuid)
        return Response(self._document(place, exact="exact" in request.GET))

    @described(
        "change_farm_run",
        "Name others who may work on a run",
        request=schemas.ParticipantsSerializer,
        answers={200: schemas.FarmRunStateSerializer},
        errors=(400, 404),
        examples=[schemas.PARTICIPANTS, schemas.RUN_ANSWER],
        tag="farm",
    )
    def patch(self, request, uuid: UUID):
        """`participants`, by their names: all of them, in place of those who were named before."""
        place = self.place_to_act(uuid)
        wanted = schemas.ParticipantsSerializer(data=self.body())
        wanted.is_valid(raise_exception=True)
        found, missing = accounts_called(wanted.validated_data["participants"])
        if missing:
            raise exceptions.ValidationError({"participants": [f"there is no account called {', '.join(missing)}"]})
        self.run(place).participants.set(found)
        return Response(self._document(place, exact=False))

    def _document(self, place: Place, *, exact: bool) -> dict:
        attempt = FarmAttempt.objects.filter(pk=place.attempt_id).first()
        people = FarmRun.participants.through.objects.filter(farmrun=place.run_id).order_by("user__username")
        totals = Totals(place.num_tasks)
        if attempt is not None:
            counted = totals_of(attempt, place.num_tasks) if exact else None
            totals = counted or Totals(
                place.num_tasks, attempt.done, attempt.failed, attempt.computing, attempt.percent * place.num_tasks
            )
        return {
            "num_tasks": place.num_tasks,
            "lease_seconds": place.lease_seconds,
            "max_tries": place.max_tries,
            "participants": list(people.values_list("user__username", flat=True)),
            "state": state_of(place),
            "waiting": totals.waiting,
            "computing": totals.computing,
            "done": totals.done,
            "failed": totals.failed,
            "percent": round(totals.percent_done, 3),
            "rate": attempt.rate if attempt is not None else 0.0,
            "eta": eta_of(attempt, totals) if attempt is not None else None,
            "as_of": attempt.folded if attempt is not None and not exact else None,
        }


class Restart(FarmView):
    """Tasks that are to be computed again."""

    @described(
        "restart_farm_run",
        "Have tasks computed again",
        request=schemas.RestartSerializer,
        answers={204: None},
        errors=(400, 404, 409),
        examples=[schemas.RESTART],
        tag="farm",
    )
    def post(self, request, uuid: UUID):
        """`what`: all, with nothing kept; unfinished, those that somebody has or that failed; failed.

        Who has one of them has lost it. Of a run that is over it begins a new attempt, in which what was done stands unless
        all are restarted.
        """
        place = self.place_to_act(uuid)
        wanted = schemas.RestartSerializer(data=self.body())
        wanted.is_valid(raise_exception=True)
        restart(place, wanted.validated_data["what"], user=request.user)
        return Response(status=204)


class Workers(FarmView):
    """The workers of a run."""

    @described(
        "list_farm_workers",
        "The workers of a run",
        answers={200: schemas.FarmWorkersSerializer},
        errors=(404,),
        examples=[schemas.WORKERS_ANSWER],
        tag="farm",
    )
    def get(self, request, uuid: UUID):
        """Those that asked this run last for a task, newest sign of life first; at most 1000."""
        workers = FarmWorker.objects.filter(run=self.place(uuid).run_id).order_by("-seen")[:1000]
        names = ("uuid", "hostname", "pid", "started", "seen", "done")
        return Response({"results": [{name: getattr(worker, name) for name in names} for worker in workers]})
