"""What a site mounts at its root: the dashboard under `jobs/` and the callback."""

from django.urls import include, path

from jobs.callback import update_job_status

urlpatterns = [
    path("update-job-status/<int:job_id>/", update_job_status, name="update_job_status"),
    path("jobs/", include("jobs.web.urls")),
]
