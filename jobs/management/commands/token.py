"""`manage.py token`: personal tokens from the command line."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from jobs import clock
from jobs.access.tokens import make_token, revoke
from jobs.errors import InvalidAttribute
from jobs.models import AccessToken


class Command(BaseCommand):
    help = "Make, list and revoke personal tokens."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make one and print it; it cannot be shown again")
        create.add_argument("user")
        create.add_argument("name", help="what it is for")
        create.add_argument("--scope", action="append", choices=AccessToken.SCOPES, help="any number; read if none")
        create.add_argument("--days", type=int, default=0, help="until it expires; 0 for never")
        listing = verbs.add_parser("list", help="those of a person that are not revoked")
        listing.add_argument("user")
        revoking = verbs.add_parser("revoke", help="one of them, by its number in the list")
        revoking.add_argument("user")
        revoking.add_argument("number", type=int)

    def handle(self, *args, verb: str, user: str, **options):
        model = get_user_model()
        person = model._default_manager.filter(**{model.USERNAME_FIELD: user}).first()
        if person is None:
            raise CommandError(f"There is no account {user!r}.")
        getattr(self, f"_{verb}")(person, options)

    def _create(self, person, options: dict) -> None:
        days = options["days"]
        try:
            _, text = make_token(
                person,
                options["name"],
                options["scope"] or ["read"],
                expires=clock.now() + timedelta(days=days) if days else None,
            )
        except InvalidAttribute as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)

    def _list(self, person, options: dict) -> None:
        for row in AccessToken.objects.filter(user=person, revoked=None):
            until = f"until {row.expires:%Y-%m-%d}" if row.expires else "for ever"
            expired = "" if row.is_usable else " (expired)"
            self.stdout.write(f"{row.pk:6}  …{row.ending}  {', '.join(row.scopes)}  {until}{expired}  {row.name}")

    def _revoke(self, person, options: dict) -> None:
        if not revoke(person, options["number"]):
            raise CommandError(f"{person} has no token with the number {options['number']}, or it is revoked already.")
        self.stdout.write("revoked")
