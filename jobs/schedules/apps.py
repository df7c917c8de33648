"""Schedules and agents as an app."""

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    name = "jobs.schedules"
    label = "jobs_schedules"
    verbose_name = "Schedules"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.schedules.assigning import reconcile
        from jobs.schedules.contacting import contacts
        from jobs.schedules.due import assume_missed, forget_old, write_all_due
        from jobs.schedules.health import facts
        from jobs.schedules.starting import start_jobs
        from jobs.types import Plugin, Process, Service, register

        register(
            Plugin(
                "schedules",
                pages=(("Schedules", "jobs_schedules:schedules"),),
                urls="jobs.schedules.pages.urls",
                api_urls="jobs.schedules.api.urls",
                services=(
                    Service("write due times", write_all_due, 0.5),
                    Service("start scheduled jobs", start_jobs, 0.5),
                    Service("call agents", contacts.tend, 0.5),
                    Service("reconcile agents and schedules", reconcile, 30),
                    Service("give up executions", assume_missed, 15),
                    Service("forget old executions", forget_old, 60),
                ),
                health=facts,
                processes=(Process("agent", ("local_agent",)),),
            )
        )
