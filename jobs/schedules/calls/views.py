"""The calls of agents. What is asked under a signature is answered under one."""

import re
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, permissions
from rest_framework.response import Response

from jobs.access.parsers import BoundedJSONParser, StorableJSONParser
from jobs.access.views import CallerView, headers_of
from jobs.schedules.authority import (
    STATUSES,
    AgentCaller,
    CallRefused,
    SignedByAgent,
    SignsAnswers,
    agent_of,
    offer_session,
)
from jobs.schedules.calls import schemas
from jobs.schedules.calls.documents import facts_of, note_facts, orders
from jobs.schedules.enrolment import EnrolInvalid, TokenRefused, enrol
from jobs.schedules.reporting import NotAReport, apply_report

NONCE = re.compile("[0-9a-f]{32}")


class AgentView(SignsAnswers, CallerView):
    """What all of them have in common."""

    authentication_classes = (SignedByAgent,)
    throttle_classes = ()
    # What no database takes is no reason to refuse an output, which would be sent again for ever: it is replaced.
    parser_classes = (BoundedJSONParser,)

    def get_exception_handler(self):
        return _answer_for

    def check_permissions(self, request):
        if not isinstance(request.user, AgentCaller):
            raise CallRefused("This call must be signed by an agent.", "signature")

    def body(self) -> dict:
        """The body, a JSON object.

        Raises:
            ParseError: it is none.
        """
        if not isinstance(self.request.data, dict):
            raise exceptions.ParseError("The body must be a JSON object.")
        return self.request.data


class OpenView(AgentView):
    """A call before there is a session."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    parser_classes = (StorableJSONParser,)

    def check_permissions(self, request):
        """Anybody may try."""

    def text(self, name: str, longest: int = 200) -> str:
        """A text of the body.

        Raises:
            ParseError: it is missing or too long.
        """
        value = self.body().get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            raise exceptions.ParseError(f"{name}: must be a text of 1 to {longest} characters")
        return value


class Enrol(OpenView):
    """Being let in by a token."""

    @extend_schema(**schemas.ENROL)
    def post(self, request):
        """With the token, which is good once, and the key that the agent has made; again with both, the same answer."""
        tags = self.body().get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise exceptions.ParseError("tags: must be a list of texts")
        token, key, name = self.text("token"), self.text("key"), self.text("name")
        try:
            agent = enrol(token, key, name=name, tags=tags, facts=facts_of(self.body()))
        except TokenRefused as error:
            raise exceptions.PermissionDenied(str(error)) from error
        except EnrolInvalid as error:
            raise exceptions.ParseError(str(error)) from error
        return Response({"agent": str(agent.uuid), "name": agent.name, "tags": agent.tags})


class Hello(OpenView):
    """The begin of a session."""

    @extend_schema(**schemas.HELLO)
    def post(self, request):
        """A session for an agent, with the proof that it is this site that gives it."""
        nonce, agent = self.text("nonce", 32), agent_of(self.text("agent", 40))
        if not NONCE.fullmatch(nonce):
            # Whoever stands in between could else have a part of what is proved be of their own making.
            raise exceptions.ParseError("nonce: must be 32 hexadecimal digits")
        if agent is None:
            raise exceptions.PermissionDenied("This site knows no such agent; enrol it again.")
        # One that was removed hears of it under a signature, when it asks what to do: else it would believe nobody.
        return Response(offer_session(agent, nonce))


class Sync(AgentView):
    """What there is to do."""

    @extend_schema(**schemas.SYNC)
    def post(self, request):
        """How the agent is, and what it is to run."""
        said, agent = self.body(), request.user.agent
        running = said.get("running") or {}
        if not isinstance(running, dict) or not all(_is_uuid(one) for pair in running.items() for one in pair):
            raise exceptions.ParseError("running: must be an object of executions and their schedules")
        revision = said.get("revision", 0)
        note_facts(agent, said)
        return Response(orders(agent, revision, running))


class Report(AgentView):
    """What came of executions."""

    @extend_schema(**schemas.REPORT)
    def post(self, request):
        """Ends, and what is under way; what was accepted is in the database."""
        items = self.body().get("executions")
        if not isinstance(items, list):
            raise exceptions.ParseError("executions: must be a list")
        try:
            accepted, refused = apply_report(request.user.agent, items)
        except NotAReport as error:
            raise exceptions.ParseError(str(error)) from error
        return Response({"accepted": accepted, "refused": refused})


def _answer_for(error: Exception, context: dict) -> Response | None:
    if isinstance(error, CallRefused):
        status = STATUSES.get(error.code, 401)
        # Whatever a 401 is about, it says what login would do (RFC 9110, 11.6.1).
        headers = headers_of(error) if status == 401 else None
        return Response({"detail": str(error.detail), "code": error.code}, status=status, headers=headers)
    if isinstance(error, RequestDataTooBig):
        return Response({"detail": "The body has more bytes than this site takes."}, status=413)
    if isinstance(error, exceptions.APIException):
        return Response({"detail": str(error.detail)}, status=error.status_code)
    return None


def _is_uuid(text) -> bool:
    try:
        return isinstance(text, str) and str(UUID(text)) == text
    except ValueError:
        return False
