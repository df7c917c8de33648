"""What the templates need to show times, statuses and actions."""

from django import template
from django.urls import NoReverseMatch, reverse

from jobs.status import Status
from jobs.types import plugins
from jobs.web import display
from jobs.web.wording import WORDING

register = template.Library()

register.filter("duration", display.duration)
register.filter("relative", display.relative)
register.filter("exact", display.exact)
register.filter("words", display.words)


@register.filter
def wording(action):
    """The words of an action; see `jobs.web.wording`."""
    return WORDING[action]


@register.filter
def status_word(code: str) -> str:
    """The display word of a status code; empty for none."""
    return Status(code).label if code else ""


@register.filter
def at(values, index: int):
    """An item of a list."""
    return values[index] if index < len(values) else None


@register.simple_tag(takes_context=True)
def plugin_pages(context) -> list[tuple[str, str, str]]:
    """Title and URL of the pages that plugins add to the navigation, and `aria-current` for the one that is shown."""
    here = context["request"].path if "request" in context else ""
    found = []
    for plugin in plugins():
        for title, name in plugin.pages:
            try:
                url = reverse(name)
            except NoReverseMatch:
                # The site has installed the plugin without mounting its pages.
                continue
            found.append((title, url, "page" if here == url else "true" if here.startswith(url) else ""))
    return found
