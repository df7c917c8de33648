"""What the views of a farm run have in common."""

from uuid import UUID

from rest_framework import exceptions

from jobs.access.api import ApiView
from jobs.farm.access import Place, may_act, place_of
from jobs.farm.models import FarmRun


class FarmView(ApiView):
    """A view of a run. Requests are not counted: a worker may ask as often as its tasks are short."""

    throttle_classes = ()

    def place(self, uuid: UUID) -> Place:
        """The run, if the caller may see it or work on it.

        Raises:
            Http404: there is none, or it is somebody else's.
        """
        return place_of(self.request.user, uuid)

    def place_to_work(self, uuid: UUID) -> Place:
        """The run, if the caller may work on it.

        Raises:
            Http404: see `place`.
            PermissionDenied: the caller may see it only.
        """
        place = self.place(uuid)
        if not place.may_work:
            raise exceptions.PermissionDenied("Its owner has not named you as somebody who may work on the run.")
        return place

    def place_to_act(self, uuid: UUID) -> Place:
        """The run, if the caller may change it.

        Raises:
            Http404: see `place`.
            PermissionDenied: the caller may not.
        """
        place = self.place(uuid)
        if not may_act(self.request.user, place):
            raise exceptions.PermissionDenied("Only its owner may do that with the run.")
        return place

    @staticmethod
    def number(place: Place, number: int) -> int:
        """The number of a task of the run.

        Raises:
            NotFound: it has no such task.
        """
        if number >= place.num_tasks:
            raise exceptions.NotFound(f"The tasks of this run are numbered 0 to {place.num_tasks - 1}.")
        return number

    @staticmethod
    def run(place: Place) -> FarmRun:
        """The run as a job."""
        return FarmRun.objects.non_polymorphic().get(pk=place.run_id)
