"""The REST API as an app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "jobs.api"
    label = "jobs_api"
    verbose_name = "REST API of jobs"

    def ready(self):
        from jobs.access import openapi  # noqa: F401 describes the logins
