"""The site's front door."""

import tomllib
from functools import cache

from django.conf import settings
from django.http import JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers


@cache
def version() -> str:
    """The version in pyproject.toml, which is always beside the site (the package may not be installed)."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["version"]


@require_safe
@vary_on_headers("Accept")
def front(request):
    """A browser gets the dashboard; anything else, who answers here. Public."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        return redirect("/jobs/")
    return JsonResponse({"name": "Jobdeck", "version": version()})
