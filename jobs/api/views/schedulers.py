"""`/api/schedulers/`: where jobs run, for staff."""

from django.shortcuts import get_object_or_404
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.api import schemas
from jobs.models import Scheduler
from jobs.scheduler_test import NotTestable, want_test


class StaffView(ApiView):
    """For staff only."""

    def check_permissions(self, request):
        super().check_permissions(request)
        if not request.user.is_staff:
            raise exceptions.PermissionDenied("Only staff of this site may look at schedulers.")


def _document(row: Scheduler) -> dict:
    return {
        "name": row.name,
        "type": row.type,
        "reachable": row.reachable,
        "failures": row.failures,
        "last_error": row.last_error,
        "last_poll": row.last_poll,
        "test_wanted": row.test_wanted,
        "last_test": row.last_test,
    }


class Schedulers(StaffView):
    """All of them."""

    @described("list_schedulers", "Where jobs run", answers={200: schemas.SchedulersSerializer}, tag="schedulers")
    def get(self, request):
        """By name."""
        return Response({"results": [_document(row) for row in Scheduler.objects.order_by("name")]})


class SchedulerTest(StaffView):
    """'Test connection'."""

    @described(
        "test_scheduler",
        "Have the connection tested",
        answers={202: schemas.SchedulerSerializer},
        errors=(404, 409),
        tag="schedulers",
    )
    def post(self, request, name: str):
        """Have a worker test it; `last_test` has the answer as soon as `test_wanted` is null again."""
        row = get_object_or_404(Scheduler, name=name)
        try:
            want_test(row)
        except NotTestable as error:
            raise Conflict(str(error)) from error
        row.refresh_from_db()
        return Response(_document(row), status=202)
