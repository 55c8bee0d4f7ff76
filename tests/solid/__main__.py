"""`python -m tests.solid fuzz|kills|app-kills|visitors|fsync|texts`: what docs/promises.md promises, tried at full
count, and what it costs.

The suite tries the same at a small count. Exit status 1 where a promise did not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests.app.conftest import ARGUMENTS, CHROMIUM
from tests.solid.fuzz import Fault, fuzz
from tests.solid.kills import app_kills, kills
from tests.solid.settling import PANELS, SIDE, settling
from tests.solid.texts import SECONDS as SECONDS_OF_A_TEXT
from tests.solid.texts import reading, texts
from tests.solid.visitors import GROWTH, SECONDS, visitors


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
    command = commands.add_parser("app-kills", help="the app, killed while somebody makes frames on its page")
    command.add_argument("--count", type=int, default=10, metavar="N", help="kills (%(default)s)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments (%(default)s)")
    command.set_defaults(run=_app_kills)
    command = commands.add_parser("visitors", help="people who make frames with one app at the same time")
    command.add_argument("--count", type=int, default=20, metavar="N", help="visitors (%(default)s)")
    command.add_argument("--minutes", type=float, default=10, metavar="N", help="how long they stay (%(default)s)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of their pauses (%(default)s)")
    command.set_defaults(run=_visitors)
    command = commands.add_parser("fsync", help="what it costs a render to settle its files on the disk")
    command.add_argument("--count", type=int, default=6, metavar="N", help="renders of each kind (%(default)s)")
    command.add_argument("--on", type=Path, metavar="DIR", help="a folder of the disk (that of temporary files)")
    command.set_defaults(run=_fsync)
    command = commands.add_parser("texts", help="what reading the longest script of every construct takes")
    command.add_argument("--only", default="", metavar="WORDS", help="constructs with these words in their names")
    command.set_defaults(run=_texts)
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


def _app_kills(asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        lost = list(app_kills(browser, asked.count, asked.seed, Path(work)))
    print("\n".join([*lost, f"{asked.count} kills of the app: frames that were seen were lost after {len(lost)}"]))
    return 1 if lost else 0


def _visitors(asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as work:
        report = visitors(asked.count, asked.minutes, Path(work), asked.seed)
    print("\n".join([*report.wrong, f"{asked.count} visitors for {asked.minutes:g} minutes: {report}"]))
    return 1 if report.wrong or report.slowest > SECONDS or report.grown > GROWTH else 0


def _fsync(asked: argparse.Namespace) -> int:
    pairs = list(settling(asked.count, asked.on or Path(tempfile.gettempdir())))
    settled, bare = (median(each) for each in zip(*pairs, strict=True))
    more = 100 * (settled / bare - 1)
    print(f"{PANELS} panels of {SIDE} px, {asked.count} times: {settled:.2f} s, unsettled {bare:.2f} s ({more:+.1f} %)")
    return 0


def _texts(asked: argparse.Namespace) -> int:
    seconds = []
    for what, each in reading({what: text for what, text in texts().items() if asked.only in what}):
        seconds.append(each)
        print(f"{each:5.2f} s  {what}", flush=True)
    print(f"{len(seconds)} texts: the slowest took {max(seconds, default=0):.2f} s of processor time")
    return 1 if max(seconds, default=0) > SECONDS_OF_A_TEXT else 0


if __name__ == "__main__":
    sys.exit(main())
