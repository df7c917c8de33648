"""The form for a new CondorJob."""

import re

from django import forms

from jobs.condor.idtoken import facts
from jobs.condor.models import CondorJob, CondorScheduler
from jobs.errors import InvalidAttribute
from jobs.forms import JobForm, VariablesField, code_area, split_words
from jobs.manager import JobManager

MEMORY = re.compile(r"\A\d+(\.\d+)? *([KMGT]B?)?\Z", re.IGNORECASE)
"""An amount of memory (HTCondor manual, 'condor_submit', `request_memory`); without a unit it is megabytes."""

OWN_FIELDS = ("executable", "arguments", "environment", "request_cpus", "request_memory")
"""Commands of the submit description that have a field of their own."""

LABEL = "jobs"
"""Of jobs that no app made."""

NO_POOL = "There is no HTCondor pool here yet; staff of this site can add one on the page Schedulers."


class PoolField(forms.ModelChoiceField):
    """A choice of pools; it says of each whether it is the default, and whether it answers."""

    def label_from_instance(self, pool: CondorScheduler) -> str:
        notes = ["the default"] if pool.is_default else []
        if not pool.reachable:
            notes.append("does not answer at the moment; the job waits until it does")
        return f"{pool.name} ({'; '.join(notes)})" if notes else pool.name


class CommandsField(forms.CharField):
    """Further commands of the submit description, one `name = value` on each line; its value is a dictionary."""

    def __init__(self, **kwargs):
        super().__init__(**{"required": False, "widget": code_area(4)} | kwargs)

    def clean(self, value) -> dict[str, str]:
        """The commands by name, as they were typed.

        Raises:
            ValidationError: a line is of another form, or names what has a field of its own or stands twice.
        """
        commands = {}
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, equals, text = (part.strip() for part in line.partition("="))
            if not equals or not name:
                raise forms.ValidationError(f"Line {number}: {line[:60]!r} is not of the form name = value.")
            if name.lower() in OWN_FIELDS:
                raise forms.ValidationError(f"Line {number}: {name} has a field of its own in this form; use that.")
            if name.lower() in map(str.lower, commands):
                raise forms.ValidationError(f"Line {number}: {name} stands there twice.")
            commands[name] = text
        return commands


class CondorJobForm(JobForm):
    """A program, its arguments and its files, for one process or many in a pool."""

    suggested_name = "condor-{id}"
    advanced = ("request_cpus", "request_memory", "environment", "attributes", "timeout")
    field_order = (
        "name",
        "scheduler",
        "program",
        "executable",
        "arguments",
        "files",
        "num_jobs",
        "description",
        *advanced,
    )

    scheduler = PoolField(
        label="Pool",
        queryset=CondorScheduler.objects.none(),
        error_messages={"required": "Choose the pool that runs it."},
    )
    program = forms.FileField(
        label="Program to upload",
        required=False,
        help_text="A script or a program of your own; it travels to the machine that runs it. A script begins with "
        "#! and what reads it, for example #!/usr/bin/env python3",
    )
    executable = forms.CharField(
        label="Or an installed program",
        required=False,
        max_length=1024,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
        help_text="Its whole path on the pool's machines, for example /usr/bin/python3",
    )
    arguments = forms.CharField(
        required=False,
        max_length=20_000,
        widget=code_area(2),
        help_text="As you would type them behind the program; $(Process) becomes 0, 1, 2, … in the processes.",
    )
    num_jobs = forms.IntegerField(
        label="Processes",
        initial=1,
        min_value=1,
        max_value=100_000,
        help_text="How many times the program is run, each time in a folder of its own.",
    )
    request_cpus = forms.IntegerField(
        label="Processor cores", required=False, min_value=1, max_value=100_000, help_text="For each process."
    )
    request_memory = forms.RegexField(
        MEMORY,
        label="Memory",
        required=False,
        error_messages={"invalid": "Write an amount such as 512 MB or 2 GB; a number alone is megabytes."},
        help_text="For each process, for example 2 GB; one that needs more is held.",
    )
    environment = VariablesField(help_text="One NAME=value on each line. Everybody on the pool can read them.")
    attributes = CommandsField(
        label="Further commands",
        help_text="Of the submit description, one name = value on each line, for example request_disk = 10 GB",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        pools = CondorScheduler.objects.order_by("-is_default", "name")
        scheduler = self.fields["scheduler"]
        scheduler.queryset = pools
        first = list(pools[:2])
        if first and (len(first) == 1 or first[0].is_default):
            scheduler.initial = first[0].pk
            scheduler.empty_label = None
        elif first:
            scheduler.empty_label = "Choose one"
        else:
            scheduler.empty_label = "No pool yet"
            scheduler.help_text = NO_POOL
            scheduler.error_messages["required"] = NO_POOL
        self.fields["files"].help_text = "They travel with the program and lie beside it where it runs."

    # --- what was filled in

    @property
    def field_of(self) -> dict[str, str]:
        """Where messages about attributes are shown that have no field of the same name."""
        uploaded = getattr(self, "cleaned_data", {}).get("program")
        return {"remote_input_files": "files"} | ({"executable": "program"} if uploaded else {})

    def clean_executable(self) -> str:
        path = self.cleaned_data["executable"].strip()
        if path and not path.startswith("/"):
            raise forms.ValidationError(
                "Give the whole path of a program that is installed on the pool's machines, beginning with /; a program "
                "of your own is uploaded above."
            )
        return path

    def clean_arguments(self) -> list[str]:
        return split_words(self.cleaned_data["arguments"])

    def clean_program(self):
        return _portable(self.cleaned_data["program"])

    def clean_files(self) -> list:
        return [_portable(file) for file in self.cleaned_data["files"]]

    def clean(self):
        """Check what fields say together: one program, from one place."""
        cleaned = super().clean()
        program, executable = cleaned.get("program"), cleaned.get("executable")
        if not self.errors.keys() & {"program", "executable"}:
            if program and executable:
                self.add_error("executable", "There is a program to upload already; give one of the two.")
            elif not program and not executable:
                self.add_error("program", "Choose a program to upload, or name an installed one below.")
        if program and any(file.name == program.name for file in cleaned.get("files") or ()):
            self.add_error("files", f"The program is called {program.name} already; in one folder there can be one.")
        return cleaned

    def create(self) -> CondorJob:
        """Make the job, pending, with its files in its workspace. What it asks for goes through the allow-list.

        Raises:
            JobError: what is wrong with it; the message begins with the attribute's name.
        """
        values = self.cleaned_data
        try:
            job = JobManager(LABEL).create_job(
                values["name"],
                self.user,
                CondorJob,
                restricted=True,
                scheduler=values["scheduler"].scheduler_ptr,
                num_jobs=values["num_jobs"],
                attributes=self._commands(),
                remote_input_files=[file.name for file in values["files"]],
                description=values["description"],
                timeout=values["timeout"],
            )
        except InvalidAttribute as error:
            raise InvalidAttribute(_at_own_field(str(error))) from error
        if values["program"]:
            self.put(job, [values["program"]], field="program", mode=0o700)
        self.put(job, values["files"])
        return job

    def _commands(self) -> dict:
        values = self.cleaned_data
        program = values["program"]
        # What is installed on the pool's machines does not travel from here.
        commands = {"executable": program.name} if program else {"transfer_executable": "false"}
        commands |= values["attributes"] | ({} if program else {"executable": values["executable"]})
        for name in ("arguments", "environment", "request_cpus", "request_memory"):
            if values[name]:
                commands[name] = values[name]
        return commands

    # --- what will run

    def explain(self) -> list[tuple[str, str]]:
        """What will run, where, and as whom, as far as the form is filled in: pairs of heading and text."""
        values = getattr(self, "cleaned_data", {})
        # What the page shows while somebody types has no uploads in it.
        named = values["program"].name if values.get("program") else self["executable"].value()
        program = named or "the uploaded program"
        words = " ".join((self["arguments"].value() or "").split())
        times = values.get("num_jobs") or 1
        what = f"{program} {words}".strip() + (f", in {times} processes" if times > 1 else "")
        return [("What", what), *self._where(values.get("scheduler") or self._first_choice())]

    def _first_choice(self) -> CondorScheduler | None:
        chosen = self.fields["scheduler"].initial
        return self.fields["scheduler"].queryset.filter(pk=chosen).first() if chosen and not self.is_bound else None

    def _where(self, pool: CondorScheduler | None) -> list[tuple[str, str]]:
        if pool is None:
            there = self.fields["scheduler"].queryset.exists()
            return [("Where", "In the pool that you choose above." if there else NO_POOL)]
        how = "Program and files travel there, its outputs travel back into the job's folder."
        return [
            ("Where", f"In the pool {pool.name}, on a machine that HTCondor chooses. {how}"),
            ("As", f"The account {_account(pool)}, for {self.user}."),
        ]


def _account(pool: CondorScheduler) -> str:
    if pool.by_ssh:
        return pool.place
    known = facts(pool.token)
    return known.account if known and known.account else "that the pool takes this site for"


def _portable(file):
    """The upload, if HTCondor can carry a file of its name.

    Raises:
        ValidationError: it cannot.
    """
    if file and ("," in file.name or not file.name.isprintable()):
        raise forms.ValidationError(f"HTCondor cannot carry a file called {file.name!r}; rename it (no comma in it).")
    return file


def _at_own_field(message: str) -> str:
    """A refusal with the name of the field in front at which it is best read."""
    return re.sub(rf"(?:^|(?<=; ))(?:attributes: )+(?=(?:{'|'.join(OWN_FIELDS)}): )", "", message)
