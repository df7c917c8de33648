"""A pool as the child process sees it: what it is asked, through HTCondor's bindings (Python package `htcondor2`).

Only `child` imports this: the bindings hold the interpreter's lock while they wait for the network, and their
configuration belongs to the process. What they print goes to file descriptor 2, which `child` has made a file.
"""

import json
import os
import time
from pathlib import Path

import classad2
import htcondor2

from jobs.condor.bindings.failures import NOT_ARRIVED, Refused, Token, Unavailable, failure, words

COLLECTOR_TIMEOUT = 10
"""Seconds that a collector may take. The other steps have times of the bindings' own, or none: the caller's deadline."""

ACTIONS = {
    "hold": htcondor2.JobAction.Hold,
    "release": htcondor2.JobAction.Release,
    "remove": htcondor2.JobAction.Remove,
    "remove_x": htcondor2.JobAction.RemoveX,
}
COUNTS = {
    "success": "TotalSuccess",
    "not_found": "TotalNotFound",
    "bad_status": "TotalBadStatus",
    "already_done": "TotalAlreadyDone",
    "permission_denied": "TotalPermissionDenied",
    "error": "TotalError",
}


class Encoded(str):
    """A value that is JSON already."""


class Pool:
    """The connection: a collector that knows where the schedd is, or the schedd's own address.

    Args:
        connection: `address`, `schedd_name`, `token_folder`, `trust_domain`, `filesystem_domain`.
    """

    def __init__(self, connection: dict):
        self.address = connection["address"]
        self.schedd_name = connection["schedd_name"]
        self._located = None
        tokens = [path.read_text() for path in Path(connection["token_folder"]).glob("token")]
        token = Token("".join(tokens))
        self.login_flaw = token.flaw(connection["trust_domain"])
        settings = {
            "SEC_TOKEN_DIRECTORY": connection["token_folder"],
            "SEC_CLIENT_AUTHENTICATION_METHODS": "IDTOKENS",
            "TRUST_DOMAIN": connection["trust_domain"] or token.issuer,
            "FILESYSTEM_DOMAIN": connection["filesystem_domain"],
            "TOOL_DEBUG": "D_ERROR",
            "QUERY_TIMEOUT": COLLECTOR_TIMEOUT,
        }
        for name, value in settings.items():
            if value:
                htcondor2.param[name] = str(value)
        htcondor2.enable_debug()

    # --- requests

    def answer(self, request: dict) -> str:
        """Do what is asked and return the answer as one line of JSON.

        Args:
            request: `op`, the name of one of the methods below, and its arguments.
        """
        operations = (self.query, self.history, self.submit, self.retrieve, self.act, self.look)
        operation = next(one for one in operations if one.__name__ == request["op"])
        try:
            value = operation(**{name: value for name, value in request.items() if name != "op"})
            return f'{{"ok": {value if isinstance(value, Encoded) else json.dumps(value)}}}'
        except (Refused, Unavailable) as error:
            why = error
        except htcondor2.HTCondorException as error:
            why = self.failure(error)
            if request["op"] in ("query", "history"):
                why = Unavailable(str(why))  # who may not look knows nothing about any job
        # The schedd is looked for anew before the next request: when it was restarted it has another address.
        self._located = None
        return json.dumps({"error": str(why), "kind": "refused" if isinstance(why, Refused) else "unavailable"})

    def query(self, constraint: str, projection: list[str]) -> Encoded:
        """The ads of the queue for which the constraint is true."""
        return _encode(self._schedd().query(_checked(constraint), projection))

    def history(self, constraint: str, projection: list[str], match: int, since: str) -> Encoded:
        """At most `match` ads of jobs that left the queue, the latest first, down to where `since` becomes true."""
        # Only what is no expression would go wrong in the bindings' own handling of `since`.
        since = classad2.ExprTree(_checked(since)) if since else None
        return _encode(self._schedd().history(_checked(constraint), projection, match, since))

    def submit(self, text: str, count: int, spool: bool) -> dict:
        """Queue `count` processes; with `spool` their input files go too, and where they do not, nothing is left."""
        try:
            description = htcondor2.Submit(text)
        except ValueError as error:
            raise Refused(f"this is no submit description: {error}") from error
        schedd = self._schedd()
        result = schedd.submit(description, count=count, spool=spool)
        if spool:
            try:
                schedd.spool(result)
            except htcondor2.HTCondorException as error:
                raise self._taken_back(result.cluster(), self.failure(error)) from error
        return {"cluster": result.cluster(), "procs": result.num_procs()}

    def retrieve(self, constraint: str) -> None:
        """Bring the output of spooled jobs that are over into the folders that they were submitted from."""
        self._schedd().retrieve(_checked(constraint))

    def act(self, action: str, constraint: str, reason: str) -> dict:
        """Hold, release or remove jobs; to how many it was done, and to how many not, by why not."""
        # The bindings put the reason between quotes just as it is, and take one only as part of a pair.
        reason = " ".join(reason.split()).replace('"', "'").replace("\\", "/")
        result = self._schedd().act(ACTIONS[action], _checked(constraint), (reason, 0))
        counts = {name: result[attribute] for name, attribute in COUNTS.items()}
        if counts["permission_denied"] and not counts["success"]:
            raise Refused(f"permission denied: {counts['permission_denied']} of these jobs belong to somebody else")
        return counts

    def look(self, what: str) -> str | None:
        """One thing that a test of the connection finds out, see `LOOKS`; None where it cannot be known."""
        method, advice = LOOKS[what]
        try:
            return method(self)
        except htcondor2.HTCondorException as error:
            why = self.failure(error)
            raise type(why)(f"{why} · {advice}") from error

    # --- looks

    def reach(self) -> str:
        """Whether anybody answers, and how soon."""
        started = time.monotonic()
        if self._is_schedd:
            answerer = f"the schedd at {self.address}"
            _secure(False)
            try:
                htcondor2.ping(self.address, "READ")
            except htcondor2.HTCondorException as error:
                if not isinstance(self.failure(error), Refused):  # a no is an answer too
                    raise
        else:
            answerer = f"the collector at {self.address}, which knows the schedd {self._locate()['Name']}"
        return f"{answerer} ({(time.monotonic() - started) * 1000:.0f} ms)"

    def login(self) -> str:
        """As whom the schedd takes us."""
        return f"as {self._ping('DC_NOP')['MyRemoteUserName']}"

    def may_submit(self) -> str:
        """Whether that one may change the queue."""
        answer = self._ping("WRITE")
        if answer.get("AuthorizationSucceeded") is not True:
            raise Refused(f"{answer['MyRemoteUserName']} has no WRITE permission at the schedd")
        return f"{answer['MyRemoteUserName']} has WRITE permission"

    def version(self) -> str:
        """The schedd's version and its date."""
        text = self._ping("DC_NOP")["RemoteVersion"]  # $CondorVersion: 23.9.6 2024-08-08 BuildID: … $
        return " ".join(text.split()[1:3])

    def free_slots(self) -> str | None:
        """How much of the pool is free, in cores: a slot may be cut into smaller ones."""
        if self._is_schedd:
            return None
        _secure(False)
        projection = ["State", "Cpus", "TotalSlotCpus", "DynamicSlot"]
        slots = htcondor2.Collector(self.address).query(htcondor2.AdType.Startd, projection=projection)
        if not slots:
            return "there are no slots at the moment; jobs wait until there are"
        # What was cut out of a slot counts with the slot that it was cut out of.
        cores = sum(slot.get("TotalSlotCpus", slot["Cpus"]) for slot in slots if slot.get("DynamicSlot") is not True)
        free = sum(slot["Cpus"] for slot in slots if slot["State"] == "Unclaimed")
        return f"{free} of {cores} cores"

    # --- the connection

    @property
    def _is_schedd(self) -> bool:
        return self.address.startswith("<")

    def _schedd(self):
        return htcondor2.Schedd(self._location())

    def _ping(self, authorization: str):
        return htcondor2.ping(self._location(), authorization)

    def _location(self):
        if self._located is None:
            self._located = self._locate()
        _secure(True)
        return self._located

    def _locate(self):
        if self._is_schedd:
            return classad2.ClassAd({"MyAddress": self.address, "CondorVersion": ""})
        _secure(False)
        known = {ad["Name"]: ad for ad in htcondor2.Collector(self.address).locateAll(htcondor2.DaemonType.Schedd)}
        names = [name for name in known if not self.schedd_name or name.lower() == self.schedd_name.lower()]
        if len(names) == 1:
            return known[names[0]]
        if not known:
            raise Unavailable(f"the collector at {self.address} knows no schedd at the moment")
        # Never just any: another one than last time knows none of our jobs.
        what = (
            f"no schedd {self.schedd_name!r} but" if self.schedd_name else "several schedds, say which takes the jobs:"
        )
        raise Unavailable(f"the collector at {self.address} knows {what} {', '.join(sorted(known))}")

    # --- failures

    def failure(self, error: htcondor2.HTCondorException) -> Refused | Unavailable:
        """What an exception of the bindings means."""
        os.lseek(2, 0, os.SEEK_SET)
        log = os.read(2, 1 << 20).decode(errors="replace")
        return failure(words(str(error), log), self.login_flaw)

    def _taken_back(self, cluster: int, why: Refused | Unavailable) -> Refused | Unavailable:
        try:
            for action in ("remove", "remove_x"):
                self.act(action, f"ClusterId == {cluster}", NOT_ARRIVED)
        except (htcondor2.HTCondorException, Refused):
            return Unavailable(f"{why} (cluster {cluster} was left behind, on hold)")
        return why


LOOKS = {
    "Reach": (Pool.reach, "Is the address right, does HTCondor run there, do firewalls let this host through?"),
    "Login": (Pool.login, "Enter a new token; condor_token_create makes one."),
    "May submit": (Pool.may_submit, "The token, and ALLOW_WRITE of the schedd, have to allow it."),
    "Version": (Pool.version, "The schedd did not say it."),
    "Free slots": (Pool.free_slots, "The collector did not say it."),
}
"""By name: what to look at, and what to do where HTCondor says that it fails."""


def _secure(required: bool) -> None:
    # A collector may know none of the schedd's users, and only says where things are. But what a schedd says, and the
    # files that go to it, must be from nobody else and for nobody else.
    for what in ("AUTHENTICATION", "ENCRYPTION", "INTEGRITY"):
        htcondor2.param[f"SEC_CLIENT_{what}"] = "REQUIRED" if required else "OPTIONAL"


def _checked(constraint: str) -> str:
    # Of one that it cannot parse `Schedd.query` says what it says of a broken connection: nothing.
    try:
        classad2.ExprTree(constraint)
    except (classad2.ClassAdException, AssertionError) as error:
        raise Refused(f"not a ClassAd expression: {constraint[:200]}") from error
    return constraint


def _encode(ads: list) -> Encoded:
    return Encoded(f"[{','.join(map(_encode_ad, ads))}]")


def _encode_ad(ad) -> str:
    try:
        # Four times as fast as one attribute after the other, and the same as long as all of them are plain values.
        text = ad.printJson()
        if "null" not in text and "\\/" not in text:
            return text.replace("\n", "")
    except UnicodeDecodeError:
        pass  # one attribute is not in UTF-8; the others are good
    return json.dumps(_plain(ad))


def _plain(value):
    if isinstance(value, classad2.ClassAd):
        return {name: plain for name in value if (plain := _evaluated(value, name)) is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, classad2.Value):  # undefined, or an error
        return None
    return value if isinstance(value, str | int | float) else " ".join(str(value).split())


def _evaluated(ad, name: str):
    try:
        return _plain(ad.eval(name))
    except UnicodeDecodeError:
        return None
