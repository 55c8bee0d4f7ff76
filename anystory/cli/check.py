"""`check`: what the linter finds in a script, as `file:line:column: severity: message`.

Its exit status is 0 for nothing but notes, 1 for more, 2 for a script that cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from anystory.backends.base import Backend, agreed
from anystory.backends.load import chosen
from anystory.backends.load import load as load_backend
from anystory.cli.report import Report
from anystory.script.lint import Finding, lint
from anystory.script.read import form_of, script_text


def check(arguments: argparse.Namespace, report: Report) -> int:
    script_text(arguments.script)  # refused before a model is loaded for nothing
    engine = None
    if arguments.backend or arguments.model:
        engine = load_backend(
            chosen(arguments.backend, arguments.model),
            model=arguments.model,
            device=arguments.device,
            agree=agreed if arguments.download else report.agree,
        )
    findings = found(arguments.script, engine)
    unreadable = any(finding.code == "unreadable" for finding in findings)
    tell_findings(arguments.script, findings, report, sys.stderr if unreadable else sys.stdout)
    kinds = ("error", "warning", "note")
    counts: dict[str, Any] = {f"{kind}s": sum(finding.severity == kind for finding in findings) for kind in kinds}
    report.tell("checked", file=str(arguments.script), **counts)
    return 2 if unreadable else int(any(finding.severity != "note" for finding in findings))


def found(script: Path, engine: Backend | None) -> tuple[Finding, ...]:
    """What the linter finds in a file."""
    return lint(script_text(script), folder=script.parent, backend=engine, form=form_of(script))


def tell_findings(script: Path, findings: Sequence[Finding], report: Report, stream: TextIO) -> None:
    for finding in findings:
        place = {"file": str(script), "line": finding.line, "column": finding.column}
        what = {"severity": finding.severity, "code": finding.code, "message": finding.message}
        words = f"{script}:{finding.line}:{finding.column}: {finding.severity}: {finding.message}"
        report.tell("finding", words, stream=stream, **place, **what)
