"""What the templates of functions ask."""

from django import template

from jobs.functions import docstrings, permissions
from jobs.functions.registry import UnknownFunction, get_function

register = template.Library()

register.filter("marked", docstrings.marked)


@register.filter
def may_call(user, name: str) -> bool:
    """Whether a person may run the function of that name."""
    try:
        return permissions.may_call(user, get_function(name))
    except UnknownFunction:
        return False
