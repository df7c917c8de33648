"""The URLs that agents call, mounted at `/api/schedules/agent/`."""

from django.urls import path

from jobs.schedules.calls import views

urlpatterns = [
    path("enrol", views.Enrol.as_view(), name="enrol"),
    path("hello", views.Hello.as_view(), name="hello"),
    path("sync", views.Sync.as_view(), name="sync"),
    path("report", views.Report.as_view(), name="report"),
]
app_name = "jobs_schedules_calls"
