"""Findings as SARIF 2.1.0, which code scanning tools read (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

import hashlib
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.cli import output, report
from reconciler.cli.report import Finding, Level, Report

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "note"}
_ROOT = "%SRCROOT%"


def render(found: Report) -> str:
    """Write one run of the tool."""
    return output.to_json(to_document(found))


def to_document(found: Report) -> dict[str, Any]:
    """Give the log as a document; its rules are those that were met."""
    rules = sorted({one.rule for one in found.findings})
    run = {
        "tool": {
            "driver": {
                "name": "procctl",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [{"id": rule, "shortDescription": {"text": report.meaning(rule)}} for rule in rules],
            }
        },
        # Code scanning tells runs of one tool apart by this; without it a plan would end the alerts of a check.
        "automationDetails": {"id": f"procctl-{found.command}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the process repository."}}},
        "results": [_result(one, rules) for one in found.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(one: Finding, rules: list[str]) -> dict[str, Any]:
    region = {"startLine": max(1, one.line), "startColumn": max(1, one.column)}
    # A lone surrogate has no bytes of its own, and must not end the report.
    uri = quote(one.path.encode(errors="surrogatepass"), safe="/")
    same = f"{one.rule}\0{one.path}\0{one.message}".encode(errors="surrogatepass")
    return {
        "ruleId": one.rule,
        "ruleIndex": rules.index(one.rule),
        "level": _LEVELS[one.level],
        "message": {"text": one.message},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}, "region": region}}],
        "partialFingerprints": {"procctl/v1": hashlib.sha256(same).hexdigest()},
    }
