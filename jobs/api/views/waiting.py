"""`/api/jobs/<uuid>/wait/`: an answer as soon as something has changed."""

from uuid import UUID

from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.openapi import described
from jobs.access.waiting import LONGEST, has_room, leave, until_changed
from jobs.api import schemas
from jobs.api.documents import job_document
from jobs.status import FINAL

AGAIN = 2
"""Seconds after which whoever found no place may ask again."""


class Wait(ApiView):
    """A job, as soon as its status is another one than `?status=`, or it is over; at the latest after `?timeout=` seconds."""

    @described(
        "wait_for_job",
        "A job, as soon as something has changed",
        answers={200: schemas.JobDetailSerializer},
        parameters=schemas.WAIT,
        errors=(400, 404),
        examples=[schemas.JOB_ANSWER],
    )
    def get(self, request, uuid: UUID):
        """Where too many wait already, the job as it is, with `Retry-After`."""
        seconds = self._timeout(request)
        job = self.job(uuid, polymorphic=False)
        status = request.GET.get("status", job.status_code)
        headers = {}
        if status == job.status_code and job.status_code not in FINAL:
            if has_room():
                try:
                    until_changed(job.pk, job.status_code, job.attempt, seconds)
                finally:
                    leave()
            else:
                headers["Retry-After"] = f"{AGAIN}"
        return Response(job_document(self.job(uuid)), headers=headers)

    def _timeout(self, request) -> float:
        text = request.GET.get("timeout", f"{LONGEST:g}")
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= LONGEST:
            raise exceptions.ValidationError({"timeout": [f"must be a number of seconds from 0 to {LONGEST:g}"]})
        return seconds
