"""The Jobdeck site: settings, URLs, and the commands that run it on one machine."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
