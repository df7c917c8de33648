"""What a site mounts at its root: the dashboard under `jobs/`, the callback, and REST under `api/` where it is installed."""

from django.apps import apps
from django.urls import include, path

from jobs.callback import update_job_status
from jobs.types import plugins

urlpatterns = [
    *(path(f"jobs/{plugin.name}/", include(plugin.urls)) for plugin in plugins() if plugin.urls),
    *(path(f"api/{plugin.name}/", include(plugin.api_urls)) for plugin in plugins() if plugin.api_urls),
    path("update-job-status/<int:job_id>/", update_job_status, name="update_job_status"),
    path("jobs/", include("jobs.web.urls")),
    *([path("api/", include("jobs.api.urls"))] if apps.is_installed("jobs.api") else []),
]
