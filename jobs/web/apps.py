"""The dashboard and the jobs table as an app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "jobs.web"
    label = "jobs_web"
    verbose_name = "Jobs dashboard"
