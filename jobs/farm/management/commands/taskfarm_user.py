"""`manage.py taskfarm_user -u NAME -p PASSWORD`: a user for the workers of taskfarm, as its `adminTF` makes them."""

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Makes an account for workers of taskfarm, or gives one another password. It may make runs and work on its own."
    )

    def add_arguments(self, parser):
        parser.add_argument("-u", "--user", required=True, help="its name")
        parser.add_argument("-p", "--password", required=True, help="its password")

    def handle(self, *args, **options):
        name, password = options["user"], options["password"]
        model = get_user_model()
        if not password:
            raise CommandError("--password: must not be empty")
        user = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
        made = user is None
        if made:
            user = model(**{model.USERNAME_FIELD: name})
        elif user.is_staff or user.is_superuser:
            raise CommandError(
                f"--user: {name} is staff; workers need no such account (changepassword changes a password)"
            )
        user.set_password(password)
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(
                "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
            ) from error
        user.save()
        self.stdout.write(f"{name} was made" if made else f"{name} has a new password")
