"""The part of `make check` that is about deployment: what needs no database, with every tool that is installed."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

import yaml

from tests.deploy.promql import PROMETHEUS, ROOT

DEPLOY = ROOT / "deploy"
KUSTOMIZATIONS = ("migration", "service")
FOREIGN = "monitoring.coreos.com/"
"""Kinds of the Prometheus operator, whose schemas no validator brings along."""


def main() -> int:
    """Runs every check; names those whose tool is not installed."""
    failed = 0
    for name, command in commands():
        if command[0] != sys.executable and shutil.which(command[0]) is None:
            print(f"{name}: skipped, {command[0]} is not installed")
            continue
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}")
        if done.returncode != 0:
            failed += 1
            print(done.stdout + done.stderr)
    return 1 if failed + len(list(faults_of_manifests())) else 0


def commands() -> Iterator[tuple[str, Sequence[str]]]:
    """What is run, and what it is called."""
    rules = [str(path) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))]
    tests = [str(path) for path in sorted((PROMETHEUS / "tests").glob("*.yml"))]
    yield "dashboards and operator rules", [sys.executable, "deploy/generate.py", "--check"]
    yield "rules", ["promtool", "check", "rules", *rules]
    yield "unit tests of rules", ["promtool", "test", "rules", *tests]
    yield "alertmanager", ["amtool", "check-config", str(DEPLOY / "alertmanager" / "alertmanager.yml")]
    yield "dockerfile", ["hadolint", "Dockerfile"]
    for name in KUSTOMIZATIONS:
        yield f"kubernetes {name}", ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / name)]


def faults_of_manifests() -> Iterator[str]:
    """What does not fit the schemas of Kubernetes."""
    if importlib.util.find_spec("kubernetes_validate") is None or shutil.which("kubectl") is None:
        print("kubernetes schemas: skipped, kubernetes-validate or kubectl is not installed")
        return
    import kubernetes_validate

    for name in KUSTOMIZATIONS:
        command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / name)]
        built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for document in yaml.safe_load_all(built):
            if document["apiVersion"].startswith(FOREIGN):
                continue
            try:
                kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
            except kubernetes_validate.ValidationError as error:
                fault = f"{document['kind']} {document['metadata']['name']}: {error.message}"
                print(f"kubernetes schemas: {fault}")
                yield fault


if __name__ == "__main__":
    sys.exit(main())
