"""The URLs of the API of taskscheduler, for a site to mount at `api/v1/`; without slashes at their ends."""

from django.urls import path

from jobs.schedules.taskscheduler import views

urlpatterns = [
    path("tasks/create", views.Create.as_view(), name="create"),
    path("tasks/<str:task_id>/latest_output", views.LatestOutput.as_view(), name="latest_output"),
    path("tasks/<str:task_id>/complete", views.Complete.as_view(), name="complete"),
]
app_name = "taskscheduler"
