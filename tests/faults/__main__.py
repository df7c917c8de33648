"""`python -m tests.faults`: kill a whole site's processes at every point of a job's life, and at random.

Prints rounds, and what was lost, doubled, stuck or wrongly processed; exits 0 only if the last four are 0.
"""

import argparse
import json
import signal
import sys
import time

from tests.faults.stack import BROKERS, Stack


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    parser.add_argument("--broker", choices=list(BROKERS), default="rabbitmq")
    parser.add_argument("--points", default="all", help="all, none, or the share k/n of them")
    parser.add_argument("--random", type=float, default=0, metavar="SECONDS", help="then kill at random for so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the site's folder and logs")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    stack = Stack(options.database, options.broker)
    import django

    django.setup()
    from tests.faults.rounds import Rounds, all_points, share

    title = f"{options.database} + {options.broker}"
    began = time.monotonic()
    try:
        stack.start()
        rounds = Rounds(stack)
        points = share(all_points(), options.points)
        if points:
            scenarios_of = rounds.map_points()
            unreached = sorted(set(all_points()) - set(scenarios_of))
            if unreached:
                rounds.tally.counts["stuck"] += 1
                rounds.tally.problems.append(f"no scenario reaches {', '.join(unreached)}")
            rounds.every_point([point for point in points if point in scenarios_of], scenarios_of)
            print(rounds.tally.line(f"{title}, {len(points)} points"), flush=True)
        if options.random:
            rounds.at_random(options.random, options.seed)
            print(rounds.tally.line(f"{title}, and {options.random:g} s at random (seed {options.seed})"), flush=True)
        rounds.nothing_open()
    finally:
        stack.stop(keep_folder=options.keep)
    for problem in rounds.tally.problems:
        print(problem, file=sys.stderr)
    print(
        json.dumps(
            {
                "rounds": rounds.tally.rounds,
                "killed": rounds.tally.killed.total(),
                "seconds": round(time.monotonic() - began),
                **{kind: rounds.tally.counts[kind] for kind in ("lost", "doubled", "stuck", "wrong")},
            }
        )
    )
    return 1 if rounds.tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
