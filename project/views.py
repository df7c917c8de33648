"""The site's front door."""

import tomllib
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django.views.defaults import page_not_found


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such address: for people a page, for scripts below `/api/` an error of the shape that all have there."""
    if not request.path.startswith("/api/"):
        return page_not_found(request, exception)
    error = {"code": "not_found", "message": f"There is nothing at {request.path}; /api/schema/ says what there is."}
    return JsonResponse({"error": error, "detail": "not-found"}, status=404)
