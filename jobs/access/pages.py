"""Who gets at a page at all, and the answer to a page that refreshes itself after the login has ended."""

from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme


def by_htmx(request: HttpRequest) -> bool:
    """Whether a script of our pages asks, so that a part of a page is the answer."""
    return request.headers.get("HX-Request") == "true"


def own_url(request: HttpRequest, url: str) -> str:
    """`url`, if it is one of this site; else an empty text."""
    mine = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if mine else ""


def login_needed(view):
    """Let only people who are logged in come to `view`.

    Others are led to the login page. A page's own script gets 401 with `HX-Redirect`, so that no login page lands inside
    of a table. No answer is kept by a cache: another person may sit down at the browser.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs):
        if request.user.is_authenticated and request.user.is_active:
            response = view(request, *args, **kwargs)
            add_never_cache_headers(response)
            return response
        if not by_htmx(request):
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = page.path + (f"?{page.query}" if page.query else "")
        target = redirect_to_login(back or "/", resolve_url(settings.LOGIN_URL))
        return HttpResponse(status=401, headers={"HX-Redirect": target.url})

    return guarded
