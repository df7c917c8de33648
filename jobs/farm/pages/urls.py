"""Pages of farm runs, below `/jobs/farm/`. They are reversed as `jobs_farm:NAME`."""

from django.urls import path

from jobs.farm.pages.restart import restart_page
from jobs.farm.pyz import worker_pyz

app_name = "jobs_farm"

urlpatterns = [
    path("jobdeck-worker.pyz", worker_pyz, name="worker_pyz"),
    path("restart/<int:job_id>/", restart_page, name="restart"),
]
