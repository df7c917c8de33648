"""What a submit description may ask for if it comes from REST, forms or dialects.

HTCondor's client reads files and the environment of the host that it is on for whoever wrote the description (manual,
'condor_submit'); in Jobdeck that host is the web server.
"""

import re

from jobs.condor.submission.commands import Commands
from jobs.condor.submission.form import Refusal, check_form
from jobs.condor.submission.named_paths import COUNTERS, MACRO, check_paths
from jobs.condor.submission.templates import template_attributes

__all__ = ["ALLOWED", "Refusal", "check_attributes", "check_form"]

ALLOWED = frozenset(
    {"executable", "arguments", "environment", "input", "output", "error", "log", "initialdir", "job_name", "logdir"}
    | {"universe", "container_image", "requirements", "rank", "priority", "require_gpus"}
    | {"gpus_minimum_capability", "gpus_maximum_capability", "gpus_minimum_memory", "gpus_minimum_runtime"}
    | {"transfer_executable", "should_transfer_files", "when_to_transfer_output"}
    | {"transfer_input_files", "transfer_output_files", "max_retries", "retry_until", "success_exit_code"}
    | {"periodic_remove", "allowed_execute_duration", "allowed_job_duration", "notification"}
)
"""The commands, in lower case; also `request_…`, whatever the pool has to be requested."""

LONGEST = 100_000
"""Characters of a command with its macros replaced; a few short ones could otherwise fill a worker's memory."""

_REQUEST = re.compile(r"request_[a-z0-9_]+")
# Of a form that no command of HTCondor has but these two, so that no version of it takes one for a command.
_OWN_MACRO = re.compile(r"my_[a-z0-9_]+|(?!(?:arguments|environment)2$)[a-z]+[0-9]+")

_WORDS = {
    "universe": ("vanilla", "container"),
    "transfer_executable": ("true", "false"),
    "should_transfer_files": ("yes", "no", "if_needed"),
    "when_to_transfer_output": ("on_exit", "on_exit_or_evict", "on_success"),
    "notification": ("never",),
}
_ALIASES = {
    "env": "environment",
    "environment2": "environment",
    "arguments2": "arguments",
    "stdin": "input",
    "stdout": "output",
    "stderr": "error",
    "initial_dir": "initialdir",
    "job_iwd": "initialdir",
    "prio": "priority",
    "transferinputfiles": "transfer_input_files",
    "transferoutputfiles": "transfer_output_files",
}
_WHY = (
    (r"\+.*|.*\..*", "is an attribute of the job's ad, by which the pool and Jobdeck go; only app code may set one"),
    (
        r"get_?env",
        "would put the web server's environment, with its secrets, into the job's ad, which everybody on the pool can "
        "read; name the variables that the job needs in environment",
    ),
    (
        r"\w*remaps|output_dest\w*|output_dir\w*|checkpoint_dest\w*|manifest\w*",
        "would have outputs written outside of the workspace; name them as they are to be called there",
    ),
    (
        r"\w*x509\w*|\w*scitokens?\w*|\w*_oauth_\w*|use_?oauth\w*|send_credential|delegate_job_\w*|\w*_credentials"
        r"|(aws|s3|gs|ec2|gce|azure)_\w*|\w*keystore\w*",
        "names credentials, which would be the web server's own; give the job its own in a file of its workspace",
    ),
    (r"docker_\w*", "use universe = container and container_image = docker://… instead"),
    (
        r"transfer_?in|transfer_?input|(public|common|jar|append|fetch|local|buffer)_\w*files|vm_\w*|tool_daemon_\w*"
        r"|\w*_image",
        "names files of the web server in another way; use transfer_input_files, or container_image",
    ),
    (
        r"transfer_?plugins|\w*hook\w*|\w*startup_script|pre_?cmd|post_?cmd|interactive_\w*",
        "would have another program run than the job's; start it from the job's own program",
    ),
    (
        r"accounting_group\w*|concurrency_limits\w*|nice_user|run_as_owner|load_profile|notify_user|email_attributes",
        "is between the pool's operators and the account that all jobs of this site run as; ask its staff",
    ),
    (
        r"periodic_\w*|on_exit_\w*|on_evict_\w*|hold|cron_\w*|deferral_\w*|noop_\w*|\w*lease\w*|keep_claim_idle",
        "would hold, release or start the job behind Jobdeck's back; use its actions",
    ),
    (
        r"skip_filechecks|copy_to_spool|preserve_relative_paths|stream_\w*|\w*encrypt_\w*|max_transfer_\w*",
        "would change how files travel, which Jobdeck sees to itself; leave it out",
    ),
)


def check_attributes(job) -> None:
    """Check what comes from REST, forms and dialects (`job.restricted`) against the allow-list; after `check_form`.

    What is not known to be harmless is refused: many commands have a second name, and each version brings new ones.

    Raises:
        Refusal: it asks for what only app code may ask for.
    """
    for name in job.attributes:
        key = name.lower()
        if key not in ALLOWED and not _REQUEST.fullmatch(key) and not _OWN_MACRO.fullmatch(key):
            raise Refusal("attributes", f"{name}: {why_refused(key)}")
    commands = Commands(job.condorpy_template_name, job.attributes)
    for name in [*job.attributes, *template_attributes(job.condorpy_template_name)]:
        _check_macros(name, commands)
    for name, words in _WORDS.items():
        value = commands.expanded(name).lower()
        if value and value not in words:
            raise Refusal("attributes", f"{name}: {value!r}: may be {' or '.join(words)} here")
    check_paths(job, commands)


def why_refused(key: str) -> str:
    """Why a command that is not allowed is not, and what to do.

    Args:
        key: its name in lower case.
    """
    if key in _ALIASES:
        return f"is another name for {_ALIASES[key]}; use that"
    for pattern, why in _WHY:
        if re.fullmatch(pattern, key):
            return why
    known = ", ".join(sorted(ALLOWED))
    return f"may not be set here; these may: {known}, request_…, and macros of your own that are called my_… or data1"


def _check_macros(name: str, commands: Commands) -> None:
    """Have no macros but references to other values, which hold no `$` themselves.

    `$ENV(NAME)` is the environment of the process that HTCondor's client is in. The client looks again at what it has put
    together, so that `$` in one value and `ENV(NAME)` in another are as good (measured).
    """
    text = commands.get(name)
    length = len(text)
    for reference in MACRO.findall(text):
        key = reference.lower()
        target = commands.get(key)
        length += len(target)
        if key in COUNTERS:
            continue
        if not target and key != "job_name":
            raise Refusal("attributes", f"{name}: $({reference}) refers to nothing; set {reference}, or leave it out")
        if "$" in target:
            raise Refusal("attributes", f"{name}: $({reference}) refers to a value with a $ in it; write it out here")
    if length > LONGEST:
        raise Refusal("attributes", f"{name}: is longer than {LONGEST} characters; put it into a file")
    *before, last = MACRO.split(text)[::2]
    if any(re.search(r"\$\w*\(", piece) for piece in (*before, last)) or any(re.search(r"\$\w*$", p) for p in before):
        raise Refusal(
            "attributes",
            f"{name}: only $(Process), $(Cluster) and $(name) of another value of this job may be used; functions such as "
            "$ENV(…), $$(…) and $(name:…) read the web server's environment, or more than the job's own",
        )
