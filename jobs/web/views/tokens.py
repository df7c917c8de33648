"""The page of a person's own tokens: made, shown once, revoked."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from jobs import clock
from jobs.access.pages import login_needed
from jobs.access.tokens import make_token, revoke
from jobs.errors import InvalidAttribute
from jobs.models import AccessToken

LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "a year"), (0, "until it is revoked"))


class TokenForm(forms.Form):
    """What a new token is for, what it opens, and for how long."""

    name = forms.CharField(max_length=100, help_text="What it is for, so that you know later which one to revoke.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(scope, f"{what} ({scope})") for scope, what in AccessToken.SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(label="Good for", choices=LIFETIMES, coerce=int, initial=90)


@require_safe
@login_needed
def tokens(request: HttpRequest) -> HttpResponse:
    """The page: the form, and the tokens that there are. The text of none of them is shown."""
    return _show(request, TokenForm())


@require_POST
@login_needed
@sensitive_variables("text")
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token, and show its text this once.

    Answers: 422 where the form is not filled in well.
    """
    form = TokenForm(request.POST)
    if form.is_valid():
        days = form.cleaned_data["days"]
        expires = clock.now() + timedelta(days=days) if days else None
        try:
            row, text = make_token(
                request.user, form.cleaned_data["name"], form.cleaned_data["scopes"], expires=expires
            )
        except InvalidAttribute as error:
            field, _, reason = str(error).partition(": ")
            form.add_error(field if field in form.fields else None, f"{reason[:1].upper()}{reason[1:]}.")
        else:
            # No redirect: the text is nowhere afterwards.
            return _show(request, TokenForm(), made=row, text=text)
    return _show(request, form, status=422)


@require_POST
@login_needed
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of the person's own; another's is none."""
    if revoke(request.user, token_id):
        messages.info(request, "The token is revoked; whoever still uses it is refused from now on.")
    else:
        messages.warning(request, "You have no such token, or it is revoked already.")
    return redirect("jobs:tokens")


def _show(request: HttpRequest, form: TokenForm, *, status: int = 200, **context) -> HttpResponse:
    rows = AccessToken.objects.filter(user=request.user, revoked=None)
    return render(request, "jobs/tokens.html", {"form": form, "tokens": rows, **context}, status=status)
