"""`python -m tests.solid fuzz|kills`: what docs/promises.md promises, tried at full count.

The suite tries the same at a small count. Exit status 1 where a promise did not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.solid.fuzz import Fault, fuzz
from tests.solid.kills import kills


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.solid", description="What is promised, tried at full count.")
    commands = parser.add_subparsers(required=True, metavar="WHAT")
    command = commands.add_parser("fuzz", help="bad scripts, pictures, ZIPs, folders and drafts")
    command.add_argument("--count", type=int, default=10_000, metavar="N", help="cases (%(default)s)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the mutations (%(default)s)")
    command.set_defaults(run=_fuzz)
    command = commands.add_parser("kills", help="a render that is killed over and over")
    command.add_argument("--count", type=int, default=50, metavar="N", help="kills (%(default)s)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments (%(default)s)")
    command.set_defaults(run=_kills)
    asked = parser.parse_args()
    return asked.run(asked)


def _fuzz(asked: argparse.Namespace) -> int:
    cases, faults = Counter[str](), 0
    with tempfile.TemporaryDirectory() as work:
        for each in fuzz(asked.count, asked.seed, Path(work)):
            if isinstance(each, Fault):
                faults += 1
                print(f"{each.kind} {each.number}: {each.what}", flush=True)
            else:
                cases[each] += 1
    print(f"{cases.total()} cases ({', '.join(f'{n} {kind}' for kind, n in cases.items())}): {faults} faults")
    return 1 if faults else 0


def _kills(asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as work:
        lost = list(kills(asked.count, asked.seed, Path(work)))
    print("\n".join([*lost, f"{asked.count} kills: announced frames were lost after {len(lost)}"]))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
