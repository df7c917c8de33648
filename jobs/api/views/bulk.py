"""`/api/bulk/`: something wanted of many jobs at once, carried out in the background, with an answer for each."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.api import ApiView
from jobs.access.openapi import described
from jobs.api import schemas
from jobs.bulk import MOST_IDS, by_filter, by_ids
from jobs.filters import PARAMETERS
from jobs.models import BulkAction, job_rows
from jobs.paging import number

MOST_ANSWERS = 1000


class Bulk(ApiView):
    """Wanting something of many jobs."""

    def scope_for(self, request) -> str:
        action = request.data.get("action") if isinstance(request.data, dict) else ""
        return "submit" if action in ("run", "resubmit", "rescue") else "write"

    @described(
        "act_on_many",
        "Something wanted of many jobs",
        request={"application/json": schemas.NEW_BULK},
        answers={202: schemas.BulkSerializer},
        errors=(400,),
        tag="bulk",
        examples=[schemas.BULK_REQUEST, schemas.BULK_ANSWER],
    )
    def post(self, request):
        """`{"action", "ids": [uuid, …]}` or `{"action", "filter": {…}}`; answers where it can be followed."""
        body = self.body()
        if unknown := sorted(set(body) - {"action", "ids", "filter"}):
            raise exceptions.ValidationError(
                {name: ["is not known here; known are action, ids, filter"] for name in unknown}
            )
        if ("ids" in body) == ("filter" in body):
            raise exceptions.ValidationError({"ids": ["give either ids or filter"]})
        action = body.get("action")
        if not isinstance(action, str):
            raise exceptions.ValidationError({"action": ["say what is wanted, such as stop"]})
        made = self._by_ids(action, body["ids"]) if "ids" in body else self._by_filter(action, body["filter"])
        url = request.build_absolute_uri(reverse("jobs_api:bulk_action", args=[made.uuid]))
        return Response(_document(made), status=202, headers={"Location": url})

    def _by_ids(self, action: str, ids) -> BulkAction:
        try:
            wanted = {UUID(one) for one in ids} if isinstance(ids, list) else set()
        except (ValueError, TypeError, AttributeError):
            wanted = set()
        if not wanted or len(wanted) > MOST_IDS:
            raise exceptions.ValidationError({"ids": [f"must be a list of 1 to {MOST_IDS:,} ids of jobs"]})
        shown = job_rows().shown().visible_to(self.request.user).filter(uuid__in=wanted)
        known = dict(shown.values_list("uuid", "pk"))
        if missing := wanted - set(known):
            named = ", ".join(sorted(str(one) for one in missing)[:5])
            raise exceptions.ValidationError({"ids": [f"there are no such jobs: {named}"]})
        return by_ids(self.request.user, action, known.values())

    def _by_filter(self, action: str, wanted) -> BulkAction:
        if not isinstance(wanted, dict) or set(wanted) - set(PARAMETERS):
            raise exceptions.ValidationError({"filter": [f"must be an object; it may have {', '.join(PARAMETERS)}"]})
        return by_filter(self.request.user, action, {name: _texts(value) for name, value in wanted.items()})


def _texts(value) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


class OneBulk(ApiView):
    """How far it is."""

    @described(
        "read_bulk",
        "How far it is, and what each job answered",
        answers={200: schemas.BulkAnswersSerializer},
        parameters=[schemas.AFTER],
        errors=(404,),
        tag="bulk",
    )
    def get(self, request, uuid: UUID):
        """With the answers of jobs, at most 1000; `?after=` goes on from the `next` of the answer before."""
        made = get_object_or_404(BulkAction, uuid=uuid, user=request.user)
        answers = made.jobs.exclude(outcome="").order_by("job_id")
        if (after := number(request.GET.get("after"))) is not None:
            answers = answers.filter(job_id__gt=after)
        found = list(answers[: MOST_ANSWERS + 1])
        results = [
            {"number": one.job_id, "outcome": one.outcome, "message": one.message} for one in found[:MOST_ANSWERS]
        ]
        more = found[MOST_ANSWERS - 1].job_id if len(found) > MOST_ANSWERS else None
        return Response({**_document(made), "next": more, "results": results})


def _document(made: BulkAction) -> dict:
    return {
        "id": str(made.uuid),
        "action": made.action,
        "created": made.created,
        "finished": made.finished,
        "total": made.total,
        "done": made.done,
        "refused": made.refused,
    }
