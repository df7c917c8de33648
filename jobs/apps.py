"""The app, and the mixin that gives any app a job manager."""

from django.apps import AppConfig


class JobsAppMixin:
    """For an app's `AppConfig`: jobs and workspaces of that app. Works on the class and on the instance.

    class MyFirstApp(JobsAppMixin, AppConfig):
        name = "my_first_app"

    job_manager = MyFirstApp.get_job_manager()
    """

    @classmethod
    def _jobs_label(cls) -> str:
        return getattr(cls, "label", None) or cls.name.rpartition(".")[2]

    @classmethod
    def get_job_manager(cls):
        """The `JobManager` of this app."""
        from jobs.manager import JobManager

        return JobManager(cls._jobs_label())

    @classmethod
    def get_app_workspace(cls):
        """The app's own folder; its `path` is a string."""
        return cls.get_job_manager().get_app_workspace()

    @classmethod
    def get_user_workspace(cls, user):
        """A user's folder in this app; `user` may also be a request."""
        return cls.get_job_manager().get_user_workspace(getattr(user, "user", user))

    @classmethod
    def get_scheduler(cls, name: str):
        """The scheduler of that name.

        Raises:
            Scheduler.DoesNotExist: there is none; the message lists those that there are.
        """
        from jobs.models import Scheduler

        try:
            return Scheduler.objects.get(name=name).specific
        except Scheduler.DoesNotExist:
            names = ", ".join(Scheduler.objects.values_list("name", flat=True)) or "none"
            raise Scheduler.DoesNotExist(f"scheduler: there is none called {name!r}; there are: {names}") from None


class JobsConfig(AppConfig):
    """The core."""

    name = "jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from celery import current_app

        from jobs import checks  # noqa: F401 registers the system checks
        from jobs.models import BasicJob
        from jobs.types import JobType, register

        register(
            JobType(
                name="BASIC",
                label="Basic",
                model=BasicJob,
                description="Moved by its callback, the API or app code.",
                serializer="jobs.serializers.BasicJobSerializer",
            )
        )
        if current_app.main == "default":
            self.celery = _own_celery_app()


def _own_celery_app():
    """The Celery app of a site that has made none: it reads the settings CELERY_*."""
    from celery import Celery

    app = Celery("jobdeck")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.set_default()  # in threads, too
    app.autodiscover_tasks()
    return app
