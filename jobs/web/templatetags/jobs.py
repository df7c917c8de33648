"""`{% load jobs %}`: a table of jobs in any template of any app."""

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.middleware.csrf import get_token

from jobs import clock
from jobs.paging import number
from jobs.web.signed_tables import sign
from jobs.web.tables import JobsTable

register = template.Library()


@register.inclusion_tag("jobs/parts/assets.html")
def jobs_assets(htmx: bool = True) -> dict:
    """The styles and scripts of a table, for a page's head.

    Args:
        htmx: False where the page loads htmx 2 by itself.
    """
    return {"htmx": htmx}


@register.inclusion_tag("jobs/parts/table.html", takes_context=True)
def jobs_table(context, table: JobsTable) -> dict:
    """Show a table of jobs to the person who asks for the page; any number of them may stand in a page.

    Raises:
        TypeError: `table` is no JobsTable.
        ImproperlyConfigured: the template does not know the request, and so not whose page it is.
    """
    if not isinstance(table, JobsTable):
        raise TypeError(f"jobs_table: a JobsTable is needed, not {table!r}; does the view hand it to the template?")
    request = context.get("request")
    if request is None or not hasattr(request, "user"):
        raise ImproperlyConfigured(
            "jobs_table needs the request: use render(request, ...), and have "
            "'django.template.context_processors.request' in TEMPLATES and AuthenticationMiddleware in MIDDLEWARE"
        )
    key = _next_key(request)
    before, after = (number(request.GET.get(f"{key}-{end}")) for end in ("before", "after"))
    query = request.GET.copy()
    for end in ("before", "after"):
        query.pop(f"{key}-{end}", None)
    told = {"key": key, "before": before, "after": after, "query": query.urlencode()}
    known = request.user.is_authenticated
    return {
        "table": table,
        "key": key,
        "query": told["query"],
        "shown": table.rows(request.user, before=before, after=after),
        "options": sign(table, request.user, told) if known else "",
        "here": request.get_full_path(),
        "csrf_token": get_token(request),
        "now": clock.now(),
    }


def _next_key(request) -> str:
    """Another one for each table of a page, the same ones when the page is asked for again."""
    request.jobs_tables = getattr(request, "jobs_tables", 0) + 1
    return f"jobs{request.jobs_tables}"
