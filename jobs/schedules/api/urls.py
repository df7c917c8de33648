"""The URLs of REST about schedules and agents, mounted at `/api/schedules/`; first those that agents call."""

from django.urls import include, path

from jobs.schedules.api.views.agents import Agents, OneAgent
from jobs.schedules.api.views.enrolling import EnrolTokens, OneEnrolToken
from jobs.schedules.api.views.executions import Executions, Latest, OneExecution, StopExecution
from jobs.schedules.api.views.schedules import OneSchedule, PauseSchedule, ResumeSchedule, RunScheduleNow, Schedules

app_name = "jobs_schedules_api"
urlpatterns = [
    path("agent/", include("jobs.schedules.calls.urls")),
    path("", Schedules.as_view(), name="schedules"),
    path("agents/", Agents.as_view(), name="agents"),
    path("agents/<uuid:uuid>/", OneAgent.as_view(), name="agent"),
    path("enrol-tokens/", EnrolTokens.as_view(), name="enrol_tokens"),
    path("enrol-tokens/<int:number>/", OneEnrolToken.as_view(), name="enrol_token"),
    path("executions/<uuid:uuid>/", OneExecution.as_view(), name="execution"),
    path("executions/<uuid:uuid>/stop/", StopExecution.as_view(), name="stop_execution"),
    path("<uuid:uuid>/", OneSchedule.as_view(), name="schedule"),
    path("<uuid:uuid>/pause/", PauseSchedule.as_view(), name="pause"),
    path("<uuid:uuid>/resume/", ResumeSchedule.as_view(), name="resume"),
    path("<uuid:uuid>/run-now/", RunScheduleNow.as_view(), name="run_now"),
    path("<uuid:uuid>/executions/", Executions.as_view(), name="executions"),
    path("<uuid:uuid>/latest/", Latest.as_view(), name="latest"),
]
