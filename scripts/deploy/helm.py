"""Runs helm on the chart."""

import base64
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

PROGRAM = "target/tools/bin/helm"
CHART = "deploy/helm/privachat"
VALUES = Path("scripts/deploy/values")
# helm prints notes only after an installation, which needs a cluster.
NOTES = "kind: Notes\nmetadata: {name: notes}\ntext: {{ include \"privachat.notes\" . | toJson }}\n"


class Refused(Exception):
    """The error message of helm."""


def _run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def _flags(values, settings):
    files = [flag for name in values for flag in ("--values", str(VALUES / f"{name}.yaml"))]
    return files + [flag for setting in settings for flag in ("--set-json", setting)]


def lint(*values):
    _run("lint", "--strict", CHART, *_flags(values, []))


def template(release, *values, settings=()):
    """The objects of a release."""
    text = _run("template", release, CHART, "--namespace", "search", *_flags(values, settings))
    return [document for document in yaml.safe_load_all(text) if document]


def notes(*values):
    """The notes that helm prints after an installation of the chart."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(CHART, Path(folder, "privachat"))
        Path(copy, "templates", "notes.yaml").write_text(NOTES)
        text = _run("template", "privachat", str(copy), *_flags(values, []), "--show-only", "templates/notes.yaml")
    return yaml.safe_load(text)["text"]


def plain(secret):
    """The values of a Secret, as text."""
    return {name: base64.b64decode(value).decode() for name, value in secret.get("data", {}).items()}


def by_name(documents):
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}
