"""The form in which staff fill in a pool. Secrets go in there and never come out again."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime

from jobs.condor.idtoken import FORM, entered, facts
from jobs.condor.models import CondorScheduler
from jobs.condor.ssh.keys import PassphraseError, fingerprint, kind, private_key
from jobs.secret import Secret, SecretUnreadable

LEAST_INTERVAL = 2.0
"""Seconds between two questions to a new pool; each of them is one query for what has changed."""
LEAST_FULL_INTERVAL = 30.0
"""Nobody may ask for the whole queue more often; HTCondor's manual asks for at most once a minute."""
SECRETS = ("token", "ssh_key", "ssh_passphrase", "ssh_password")
"""Each has a field `new_…`, and where one is stored a box `remove_…`."""
_WORDS = (
    "address",
    "schedd_name",
    "trust_domain",
    "filesystem_domain",
    "ssh_host",
    "ssh_username",
    "ssh_folder",
    "dagman",
)
_CALLED = {"token": "token", "ssh_key": "private key", "ssh_passphrase": "passphrase", "ssh_password": "password"}


class FoldersField(forms.CharField):
    """Folders, one absolute path on each line; its value is a list."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 80, "spellcheck": "false"})

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value) -> list[str]:
        """The folders, each once.

        Raises:
            ValidationError: one is no absolute path.
        """
        paths = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        for path in paths:
            if not path.startswith("/") or ".." in Path(path).parts:
                raise forms.ValidationError(f"{path}: give the whole path, beginning with / and without '..'.")
        return list(dict.fromkeys(str(Path(path)) for path in paths))

    def has_changed(self, initial, data) -> bool:
        return super().has_changed(self.prepare_value(initial or []), data)


class SecretArea(forms.Textarea):
    """An area for a secret of several lines; what was typed is not shown again."""

    def format_value(self, value) -> str:
        return ""


def _line(label: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
    return forms.CharField(label=label, required=False, max_length=20_000, widget=widget, strip=False)


def _area(label: str) -> forms.CharField:
    widget = SecretArea(attrs={"rows": 4, "cols": 80, "spellcheck": "false", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=20_000, widget=widget)


def _removal(what: str) -> forms.BooleanField:
    return forms.BooleanField(label=f"Remove the stored {what}", required=False)


class CondorSchedulerForm(forms.ModelForm):
    """A pool as staff fills it in."""

    new_token = _line("Token")
    remove_token = _removal("token")
    new_ssh_key = _area("Private key")
    remove_ssh_key = _removal("key")
    new_ssh_passphrase = _line("Passphrase of the key")
    remove_ssh_passphrase = _removal("passphrase")
    new_ssh_password = _line("Password")
    remove_ssh_password = _removal("password")
    accept_host_key = forms.BooleanField(label="Accept this host key", required=False)
    shown_host_key = forms.CharField(required=False, widget=forms.HiddenInput)
    shared_folders = FoldersField(
        required=False,
        help_text="One absolute path on each line. " + str(CondorScheduler._meta.get_field("shared_folders").help_text),
    )

    class Meta:
        model = CondorScheduler
        fields = (
            "name",
            "address",
            "schedd_name",
            "is_default",
            "trust_domain",
            "filesystem_domain",
            "shared_folders",
            "ssh_host",
            "ssh_port",
            "ssh_username",
            "ssh_folder",
            "ssh_host_key",
            "dagman",
            "least_interval",
            "full_interval",
        )
        widgets = {"ssh_host_key": forms.Textarea(attrs={"rows": 2, "cols": 80, "spellcheck": "false"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.initial.setdefault("least_interval", LEAST_INTERVAL)
        for name in SECRETS:
            self.fields[f"new_{name}"].help_text = _said_of(self.instance, name)
        offered = self.instance.offered_host_key
        self.initial["shown_host_key"] = offered
        self.fields["accept_host_key"].help_text = (
            f"The host has {kind(offered)} {fingerprint(offered)}. Compare it with what 'ssh-keygen -l -f "
            "/etc/ssh/ssh_host_…_key.pub' prints there."
        )

    # --- single fields

    def clean_new_token(self) -> str:
        text = self.cleaned_data["new_token"].strip()
        if text and not FORM.fullmatch(text):
            raise forms.ValidationError(
                "This is no IDTOKEN: it has three parts of letters, digits, - and _ with dots between them, on one line, as "
                "condor_token_create prints it."
            )
        return text

    def clean_ssh_host_key(self) -> str:
        text = " ".join(self.cleaned_data["ssh_host_key"].split()[:2])
        if text and fingerprint(text) == "unreadable":
            raise forms.ValidationError(
                "This is no host key: give its type and the key itself, such as 'ssh-ed25519 AAAA…', as they stand in "
                "/etc/ssh/ssh_host_ed25519_key.pub."
            )
        return text

    def clean_ssh_folder(self) -> str:
        path = self.cleaned_data["ssh_folder"].strip().rstrip("/")
        if not path or ".." in PurePosixPath(path).parts:
            raise forms.ValidationError("Name a folder, such as .jobdeck or /scratch/jobdeck, without '..'.")
        return path

    def clean_ssh_port(self) -> int:
        port = self.cleaned_data["ssh_port"]
        if not 1 <= port <= 65535:
            raise forms.ValidationError("A port is a number from 1 to 65535; sshd's usual one is 22.")
        return port

    def clean_is_default(self) -> bool:
        wanted = self.cleaned_data["is_default"]
        other = CondorScheduler.objects.filter(is_default=True).exclude(pk=self.instance.pk).first() if wanted else None
        if other is not None:
            raise forms.ValidationError(f"{other.name} is the default already; take it away there first.")
        return wanted

    def clean_least_interval(self) -> float:
        seconds = self.cleaned_data["least_interval"]
        if not seconds >= 1:
            raise forms.ValidationError("At least 1 second; 2 is a good value for a pool nearby.")
        return seconds

    def clean_full_interval(self) -> float:
        seconds = self.cleaned_data["full_interval"]
        if not seconds >= LEAST_FULL_INTERVAL:
            raise forms.ValidationError(
                f"At least {LEAST_FULL_INTERVAL:g} seconds: HTCondor's manual asks everybody to look at the whole queue at "
                "most once a minute. What changes is seen much sooner all the same."
            )
        return seconds

    # --- what fields say together

    def clean(self):
        cleaned = super().clean()
        for name in _WORDS:
            if name in cleaned:
                cleaned[name] = self._checked(name, _one_word, cleaned[name])
        for name in SECRETS:
            if cleaned.get(f"new_{name}") and cleaned.get(f"remove_{name}"):
                self.add_error(
                    f"remove_{name}",
                    f"There is a new {_CALLED[name]} above; remove the stored one, or put another in its place.",
                )
        self._check_way(cleaned)
        self._check_login(cleaned)
        self._check_host_key(cleaned)
        return cleaned

    def _checked(self, name: str, check: Callable, *args):
        try:
            return check(*args)
        except forms.ValidationError as error:
            self.add_error(name, error)

    def _check_way(self, cleaned: dict) -> None:
        if self.errors.keys() & {"address", "ssh_host"}:
            return
        if cleaned.get("address") and cleaned.get("ssh_host"):
            self.add_error("ssh_host", "There is an address above; give one way to the pool, and empty the other.")
        elif not cleaned.get("address") and not cleaned.get("ssh_host"):
            self.add_error(
                "address", "This field is required, or an SSH host below: one of them says where the pool is."
            )

    def _check_login(self, cleaned: dict) -> None:
        """By SSH an account is needed, and a key that can be read, or a password."""
        if not cleaned.get("ssh_host"):
            return
        if not cleaned.get("ssh_username") and "ssh_username" not in self.errors:
            self.add_error("ssh_username", "Name the account; all jobs of this site run as it.")
        if (
            self._moved
            and self.instance.ssh_password
            and not (cleaned.get("new_ssh_password") or cleaned.get("remove_ssh_password"))
        ):
            # Else whoever may change a pool, but not see its password, could have it sent to a machine of theirs.
            self.add_error(
                "new_ssh_password",
                "The host was changed, and the stored password is not sent to another one: enter it again, or remove it.",
            )
        try:
            key, passphrase = self._to_be("ssh_key"), self._to_be("ssh_passphrase")
            if not key and not self._to_be("ssh_password"):
                self.add_error("new_ssh_key", "Give the account's private key here, or its password below.")
            elif key and {"new_ssh_key", "new_ssh_passphrase", "remove_ssh_passphrase"} & set(self.changed_data):
                private_key(key, passphrase)
        except SecretUnreadable:  # what is stored is said to be unreadable at its field
            pass
        except PassphraseError as error:
            self.add_error("new_ssh_passphrase", _sentence(error))
        except ValueError as error:
            self.add_error("new_ssh_key", _sentence(error))

    @property
    def _moved(self) -> bool:
        """Whether it is another machine, or another server on it."""
        return bool({"ssh_host", "ssh_port"} & set(self.changed_data))

    def _to_be(self, name: str) -> str:
        """A secret as it will be."""
        if self.cleaned_data.get(f"remove_{name}"):
            return ""
        return self.cleaned_data.get(f"new_{name}") or getattr(self.instance, name).reveal()

    def _check_host_key(self, cleaned: dict) -> None:
        """Only the key that was shown is accepted, and a key is one host's."""
        if cleaned.get("accept_host_key"):
            offered = self.instance.offered_host_key
            if self._moved:
                self.add_error(
                    "accept_host_key", "The host was changed too; save that, have it tested, then accept its key."
                )
            elif not offered or cleaned.get("shown_host_key") != offered:
                self.add_error(
                    "accept_host_key", "The last test did not find this key any more; look at what it found now."
                )
            else:
                cleaned["ssh_host_key"] = offered
        elif self._moved and "ssh_host_key" not in self.changed_data:
            cleaned["ssh_host_key"] = ""

    def _post_clean(self):
        super()._post_clean()
        for name in SECRETS:
            if f"new_{name}" in self.changed_data or f"remove_{name}" in self.changed_data:
                setattr(self.instance, name, self.cleaned_data.get(f"new_{name}") or "")

    @property
    def written(self) -> list[str]:
        """The columns that were changed here."""
        columns = {one.removeprefix("new_").removeprefix("remove_") for one in self.changed_data}
        columns -= {"accept_host_key", "shown_host_key"}
        if self.cleaned_data.get("ssh_host_key", "") != self.initial.get("ssh_host_key", ""):
            columns.add("ssh_host_key")
        return sorted(columns)


def _one_word(text: str) -> str:
    text = text.strip()
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        raise forms.ValidationError("There is no place for spaces in it.")
    return text


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _said_of(pool: CondorScheduler, name: str) -> str:
    stored: Secret = getattr(pool, name)
    what = {
        "token": "An IDTOKEN, as condor_token_create prints it. It is kept",
        "ssh_key": "The account's key, the whole file: ed25519, ecdsa or rsa. It is kept",
        "ssh_passphrase": "If the key has one. Kept",
        "ssh_password": "Of the account, where there is no key. Kept",
    }[name]
    if not stored:
        return f"{what} encrypted and never shown again. None is stored."
    moment = entered(stored)
    since = f", entered on {_day(moment)}" if moment else ""
    try:
        stored.reveal()
    except SecretUnreadable as error:
        return f"The stored one{since} cannot be read: {error}."
    known = _of_token(stored, since) if name == "token" else since
    return f"One is stored{known}. Leave this empty to keep it; a new one takes its place."


def _of_token(token: Secret, since: str) -> str:
    known = facts(token)
    whom = f" for {known.account}" if known.account else ""
    end = f", good until {_day(known.expires)}" if known.expires else ""
    return f"{whom}{since}{end}"


def _day(moment) -> str:
    return date_format(localtime(moment), "j M Y, H:i")
