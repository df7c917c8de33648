"""The pages of schedules and agents, below `/jobs/schedules/`. They are reversed as `jobs_schedules:NAME`."""

from django.urls import path

from jobs.schedules.pages import agents, doing, executions, listing, making, one
from jobs.schedules.pyz import agent_pyz

app_name = "jobs_schedules"
urlpatterns = [
    path("", listing.schedules_page, name="schedules"),
    path("new/", making.new_schedule, name="new"),
    path("jobdeck-agent.pyz", agent_pyz, name="agent_pyz"),
    path("agents/", agents.agents_page, name="agents"),
    path("agents/token/", agents.make_token, name="make_token"),
    path("agents/token/<int:pk>/withdraw/", agents.withdraw_token, name="withdraw_token"),
    path("agents/<int:pk>/", agents.agent_page, name="agent"),
    path("agents/<int:pk>/remove/", agents.remove, name="remove_agent"),
    path("executions/<uuid:pk>/", executions.execution_page, name="execution"),
    path("executions/<uuid:pk>/stop/", executions.stop, name="stop_execution"),
    path("<int:pk>/", one.schedule_page, name="schedule"),
    path("<int:pk>/change/", making.change, name="change"),
    path("<int:pk>/delete/", doing.delete, name="delete"),
    path("<int:pk>/<str:action>/", doing.act, name="act"),
]
