"""Agents: found, read, named, removed."""

from uuid import UUID

from rest_framework.response import Response

from jobs.access.openapi import described
from jobs.schedules.api import schemas
from jobs.schedules.api.base import AgentsView
from jobs.schedules.api.documents import agent_document
from jobs.schedules.api.inputs import AgentInputSerializer
from jobs.schedules.api.paging import numbered
from jobs.schedules.api.query import MOST, Query
from jobs.schedules.enrolment import change_agent, remove_agent
from jobs.schedules.models import Agent


class Agents(AgentsView):
    """The list."""

    @described(
        "list_agents",
        "Agents, page by page",
        answers={200: schemas.AgentPageSerializer},
        parameters=schemas.AGENTS,
        errors=(400,),
        examples=[schemas.AGENTS_ANSWER],
        tag="agents",
    )
    def get(self, request):
        """A page of the agents that are enrolled, the newest first."""
        query = Query(request, "text", size=MOST)
        text = query.text("text")

        def rows():
            found = Agent.objects.enrolled()
            return found.filter(name__icontains=text) if text else found

        return numbered(query, rows, agent_document)


class OneAgent(AgentsView):
    """One agent."""

    @described(
        "read_agent",
        "One agent",
        answers={200: schemas.AgentSerializer},
        errors=(404,),
        examples=[schemas.AGENT_ANSWER],
        tag="agents",
    )
    def get(self, request, uuid: UUID):
        """How it is, by what it last said of itself."""
        return Response(agent_document(self.agent(uuid)))

    @described(
        "change_agent",
        "Change name and tags of an agent",
        request=AgentInputSerializer,
        answers={200: schemas.AgentSerializer},
        errors=(400, 404),
        examples=[schemas.CHANGED_AGENT, schemas.AGENT_ANSWER],
        tag="agents",
    )
    def patch(self, request, uuid: UUID):
        """Change its name or tags; schedules that choose by them follow. For who manages agents."""
        self.check_manages()
        agent = self.agent(uuid)
        values = self.said(AgentInputSerializer, partial=True)
        if values:
            agent = change_agent(agent, **values)
            agent.refresh_from_db()
        return Response(agent_document(agent))

    @described("remove_agent", "Remove an agent", answers={204: None}, errors=(404,), tag="agents")
    def delete(self, request, uuid: UUID):
        """Its key opens nothing any more, and what it has yet to say is not heard; its past stays. For who manages agents."""
        self.check_manages()
        remove_agent(self.agent(uuid))
        return Response(status=204)
