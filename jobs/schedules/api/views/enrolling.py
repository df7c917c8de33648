"""Tokens that let agents in; for who manages agents."""

from django.http import Http404
from django.views.decorators.debug import sensitive_variables
from rest_framework.response import Response

from jobs.access.errors import Conflict
from jobs.access.openapi import described
from jobs.schedules.api import schemas
from jobs.schedules.api.base import AgentsView
from jobs.schedules.api.documents import enrol_token_document
from jobs.schedules.api.inputs import EnrolTokenInputSerializer
from jobs.schedules.api.paging import numbered
from jobs.schedules.api.query import MOST, Query
from jobs.schedules.enrolment import make_enrol_token
from jobs.schedules.models import EnrolToken


class ManagersView(AgentsView):
    """A view for nobody else."""

    def check_permissions(self, request):
        super().check_permissions(request)
        self.check_manages()


class EnrolTokens(ManagersView):
    """The list, and new tokens."""

    @described(
        "list_enrol_tokens",
        "Tokens that let agents in, page by page",
        answers={200: schemas.EnrolTokenPageSerializer},
        parameters=schemas.PAGES,
        errors=(400,),
        examples=[schemas.ENROL_TOKENS_ANSWER],
        tag="agents",
    )
    def get(self, request):
        """A page of them, used ones too, the newest first. Their texts are kept nowhere."""
        rows = EnrolToken.objects.select_related("made_by", "agent")
        return numbered(Query(request, size=MOST), lambda: rows, enrol_token_document)

    @described(
        "create_enrol_token",
        "A new token that lets an agent in",
        request=EnrolTokenInputSerializer,
        answers={201: schemas.NewEnrolTokenSerializer},
        errors=(400,),
        examples=[schemas.NEW_ENROL_TOKEN, schemas.ENROL_TOKEN_MADE],
        tag="agents",
    )
    @sensitive_variables("text")
    def post(self, request):
        """A token that lets one agent in, once. Its text is in this answer and nowhere afterwards."""
        row, text = make_enrol_token(request.user, **self.said(EnrolTokenInputSerializer))
        answer = {**enrol_token_document(row), "token": text}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})


class OneEnrolToken(ManagersView):
    """One token."""

    @described("delete_enrol_token", "Delete a token", answers={204: None}, errors=(404, 409), tag="agents")
    def delete(self, request, number: int):
        """Delete one that was not used, so that it lets nobody in. To shut out an agent that used one, remove the agent."""
        if not EnrolToken.objects.filter(pk=number, used=None).delete()[0]:
            if not EnrolToken.objects.filter(pk=number).exists():
                raise Http404("No such token.")
            raise Conflict("Delete: this token was used; remove the agent that it let in instead.")
        return Response(status=204)
