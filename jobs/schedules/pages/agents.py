"""The pages of agents: how they are; for who manages them, letting one in, naming it, removing it."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.access.pages import by_htmx, login_needed
from jobs.conf import conf
from jobs.schedules.access import may_manage_agents, may_see_agents
from jobs.schedules.enrolment import EnrolInvalid, change_agent, make_enrol_token, remove_agent
from jobs.schedules.forms import WordsField
from jobs.schedules.models import Agent, EnrolToken, Execution, Schedule
from jobs.schedules.pages.live import show

RECENT = 50


class AgentForm(forms.Form):
    """Name and tags of an agent."""

    name = forms.CharField(max_length=100)
    tags = WordsField(help_text="Words by which schedules choose agents, such as: gpu, backup")

    def blame(self, errors: dict[str, str]) -> None:
        """Put errors of `EnrolInvalid` at their fields."""
        for name, text in errors.items():
            self.add_error(name if name in self.fields else None, text)


class TokenForm(AgentForm):
    """What a new agent is to be called."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = "Empty: as its host is called."


@require_safe
@login_needed
def agents_page(request: HttpRequest) -> HttpResponse:
    """The agents; for the page's own script the part that changes. 403 for whoever may not run commands on them."""
    if not may_see_agents(request.user):
        return render(request, "jobs_schedules/agents_not_allowed.html", status=403)
    return _show_agents(request, TokenForm())


def _show_agents(request: HttpRequest, form: forms.Form, *, status: int = 200, **more) -> HttpResponse:
    agents, may_manage = list(Agent.objects.enrolled()), may_manage_agents(request.user)
    context = {
        "agents": agents,
        "form": form,
        "age": conf.AGENT_SILENT,
        "may_manage": may_manage,
        "tokens": EnrolToken.objects.usable().select_related("made_by") if may_manage else [],
        "site": request.build_absolute_uri("/").rstrip("/"),
        "pyz": request.build_absolute_uri(reverse("jobs_schedules:agent_pyz")),
        **more,
    }
    facts = [_facts(one) for one in agents]
    answer = show(request, "jobs_schedules/agents.html", "jobs_schedules/agents_live.html", context, facts)
    answer.status_code = status if answer.status_code == 200 else answer.status_code
    return answer


@require_POST
@login_needed
@sensitive_variables("text")
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token that lets an agent in, and show it this once. 403 for whoever does not manage agents."""
    if not may_manage_agents(request.user):
        return render(request, "jobs_schedules/agents_not_allowed.html", status=403)
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            row, text = make_enrol_token(request.user, name=form.cleaned_data["name"], tags=form.cleaned_data["tags"])
        except EnrolInvalid as error:
            form.blame(error.errors)
        else:
            # No redirect: the text is nowhere afterwards.
            return _show_agents(request, TokenForm(), made=row, text=text)
    return _show_agents(request, form, status=422)


@require_POST
@login_needed
def withdraw_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a token let nobody in. 403 for whoever does not manage agents."""
    if not may_manage_agents(request.user):
        return render(request, "jobs_schedules/agents_not_allowed.html", status=403)
    if EnrolToken.objects.filter(pk=pk, used=None).delete()[0]:
        messages.info(request, "The token is withdrawn; it lets nobody in.")
    else:
        messages.warning(
            request, "There is no such token, or it was used. Whom it let in is shut out by removing that agent."
        )
    return redirect("jobs_schedules:agents")


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def agent_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One agent: all that it says of itself, what it has to run, what it ran; and its name and tags."""
    agent = _agent(request, pk)
    may_manage = may_manage_agents(request.user)
    form = AgentForm(initial={"name": agent.name, "tags": agent.tags}, label_suffix="")
    if request.method == "POST":
        if not may_manage:
            return render(request, "jobs_schedules/agents_not_allowed.html", status=403)
        form = AgentForm(request.POST, label_suffix="")
        if form.is_valid():
            try:
                change_agent(agent, name=form.cleaned_data["name"], tags=form.cleaned_data["tags"])
            except EnrolInvalid as error:
                form.blame(error.errors)
            else:
                messages.success(request, f"{agent.name} is changed; schedules that choose by name or tag follow.")
                return redirect("jobs_schedules:agent", pk)
    mine = Schedule.objects.visible_to(request.user)
    recent = Execution.objects.filter(agent=agent, schedule__in=mine).without_output()
    has = mine.filter(assignments__agent=agent, assignments__until=None)
    context = {
        "agent": agent,
        "form": form,
        "may_manage": may_manage,
        "schedules": list(has.order_by("name", "pk")[:200]),
        "recent": list(recent.select_related("schedule", "job", "agent").order_by("-due")[:RECENT]),
    }
    facts = (
        _facts(agent),
        [(one.pk, one.name) for one in context["schedules"]],
        [(str(one.pk), one.status_display) for one in context["recent"]],
    )
    answer = show(request, "jobs_schedules/agent.html", "jobs_schedules/agent_live.html", context, facts)
    if form.is_bound and answer.status_code == 200:
        answer.status_code = 422
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_needed
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then remove."""
    agent = _agent(request, pk)
    if not may_manage_agents(request.user):
        return render(request, "jobs_schedules/agents_not_allowed.html", status=403)
    url = reverse("jobs_schedules:agents")
    if request.method == "POST":
        remove_agent(agent)
        messages.success(request, f"{agent.name} is removed; its key opens nothing any more.")
        return HttpResponse(status=204, headers={"HX-Redirect": url}) if by_htmx(request) else redirect(url)
    context = {
        "question": f"Remove the agent {agent.name}?",
        "consequence": "Nothing is run on it any more, and what it has yet to say is not heard. Its past outputs stay. "
        "To have it back, it has to be let in anew.",
        "command": "Remove agent",
        "act_url": reverse("jobs_schedules:remove_agent", args=[pk]),
        "back": reverse("jobs_schedules:agent", args=[pk]),
    }
    template = "jobs/parts/confirm.html" if by_htmx(request) else "jobs/confirm.html"
    return render(request, template, context | ({"place": "dialog"} if by_htmx(request) else {}))


def _facts(agent: Agent) -> tuple:
    """What of an agent has to be shown anew when it changes; a sign of life alone has not: its age counts up by itself."""
    said = (
        str(agent.facts_time),
        agent.running,
        agent.unsent,
        agent.dropped,
        agent.refused,
        agent.told == agent.revision,
    )
    return (agent.pk, agent.name, agent.tags, agent.is_silent, *said)


def _agent(request: HttpRequest, pk: int) -> Agent:
    agent = Agent.objects.enrolled().filter(pk=pk).first() if may_see_agents(request.user) else None
    if agent is None:
        raise Http404("No such agent.")
    return agent
