"""The URLs of the API of flask-tasks; a site mounts them at its root. They are reversed as `flasktasks:NAME`."""

from django.urls import path

from jobs.functions.flasktasks.views import NewTask, OneTask, Ping, Protected, Tasks, Token

app_name = "flasktasks"
urlpatterns = [
    path("tasks", Tasks.as_view(), name="tasks"),
    path("task", NewTask.as_view(), name="new_task"),
    path("task/<str:task_id>", OneTask.as_view(), name="task"),
    path("protected", Protected.as_view(), name="protected"),
    path("ping", Ping.as_view(), name="ping"),
    path("token", Token.as_view(), name="token"),
]
