"""The program that puts input files with a space in their name into place, where a job runs.

HTCondor's clients split lists of files at spaces, so such files travel in a folder of their own. What the job leaves
unchanged of them is taken away at the end, or HTCondor would bring it back as output.
"""

import shlex
from collections.abc import Iterable

FOLDER = "jobdeck-input"
PROGRAM = "jobdeck-program"

_TEXT = """#!/bin/sh
# HTCondor splits lists of files at spaces. Files with one in their name travel in a folder, and are put into place here.
for name in {names}; do
    mv -- {folder}/"$name" .
done
touch {folder}/.placed
[ -f {own} ] && chmod u+x {own}

{program} "$@" <&0 &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT HUP
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do # it was the wait that a signal ended
    wait "$child"
    code=$?
done

for name in {names}; do
    [ -f "$name" ] && ! [ "$name" -nt {folder}/.placed ] && rm -f -- "$name"
done
if [ "$code" -gt 128 ] && [ "$code" -lt 160 ]; then
    trap - TERM INT HUP
    kill -s "$((code - 128))" $$ 2>/dev/null
fi
exit "$code"
"""


def starter(program: str, names: Iterable[str]) -> str:
    """The text of the program.

    Args:
        program: what it starts, with its own arguments: a path that holds where the job runs.
        names: the files in `FOLDER`, to be put beside it.
    """
    quoted = " ".join(shlex.quote(name) for name in names)
    return _TEXT.format(names=quoted, folder=FOLDER, own=PROGRAM, program=shlex.quote(program))
