"""The engine of farm runs as an app."""

from django.apps import AppConfig


class FarmConfig(AppConfig):
    name = "jobs.farm"
    label = "jobs_farm"
    verbose_name = "Task farm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.farm.engine import FarmEngine
        from jobs.farm.health import facts
        from jobs.farm.models import FarmRun
        from jobs.farm.pages.panel import facts_of
        from jobs.farm.tending import forget_workers
        from jobs.types import JobType, Plugin, Service, Tab, register

        styles = ("jobs_farm/pages.css",)

        register(
            JobType(
                name="FARM",
                label="Farm run",
                model=FarmRun,
                engine=FarmEngine(),
                description="Up to a million numbered tasks that workers anywhere pull over HTTP.",
                form="jobs.farm.forms.FarmRunForm",
                serializer="jobs.farm.serializers.FarmRunSerializer",
                panels=("jobs_farm/panel.html",),
                panel_facts=facts_of,
                tabs=(
                    Tab("tasks", "Tasks", "jobs.farm.pages.tasks.tasks_tab", "jobs_farm/tasks.html", assets=styles),
                    Tab(
                        "workers",
                        "Workers",
                        "jobs.farm.pages.workers.workers_tab",
                        "jobs_farm/workers.html",
                        assets=styles,
                    ),
                ),
                api_urls="jobs.farm.api.job_urls",
                rescue=True,
            )
        )
        register(
            Plugin(
                "farm",
                urls="jobs.farm.pages.urls",
                services=(Service("forget farm workers", forget_workers, 3600),),
                health=facts,
            )
        )
