"""The engine of functions as an app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FunctionsConfig(AppConfig):
    name = "jobs.functions"
    label = "jobs_functions"
    verbose_name = "Functions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.functions import checks  # noqa: F401 registers the system checks
        from jobs.functions.engine import FunctionEngine
        from jobs.functions.flasktasks import account  # noqa: F401 likewise
        from jobs.functions.health import facts
        from jobs.functions.models import FunctionJob
        from jobs.functions.pages.panel import facts_of
        from jobs.functions.permissions import make_permissions, may_call_any
        from jobs.functions.registry import discover
        from jobs.functions.tending import forget_dead_workers
        from jobs.functions.worker.process import run_worker
        from jobs.types import JobType, Plugin, Process, Service, Tab, register

        discover()
        register(
            JobType(
                name="FUNCTION",
                label="Function",
                model=FunctionJob,
                engine=FunctionEngine(),
                description="A Python function of this site with your arguments, on its workers.",
                serializer="jobs.functions.serializers.FunctionJobSerializer",
                allowed=may_call_any,
                panels=("jobs_functions/panel.html",),
                panel_facts=facts_of,
                tabs=(
                    Tab(
                        "result",
                        "Result",
                        "jobs.functions.pages.result.result_tab",
                        "jobs_functions/result_tab.html",
                        assets=("jobs_functions/result.css",),
                    ),
                ),
                start_page="jobs_functions:functions",
                api_urls="jobs.functions.api.job_urls",
            )
        )
        register(
            Plugin(
                "functions",
                pages=(("Functions", "jobs_functions:functions"),),
                urls="jobs.functions.pages.urls",
                api_urls="jobs.functions.api.urls",
                services=(Service("forget dead workers", forget_dead_workers, 3600),),
                health=facts,
                processes=(Process("functions", ("worker", "--queues", "*", "--concurrency", "2")),),
                worker=run_worker,
            )
        )
        post_migrate.connect(make_permissions, sender=self)
