"""docker-compose.yml, as far as it can be checked without starting it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import AllSettings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "temporal-schema", "temporal-namespace"}
# It listens to nobody; Docker starts it again when it exits.
WITHOUT_HEALTHCHECK = {"worker", "temporal-ui"}

each_service = pytest.mark.parametrize("name", SERVICES)


def docker_compose() -> bool:
    if not (docker := shutil.which("docker")):
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def texts(value: object) -> list[str]:
    match value:
        case dict():
            return [text for item in value.values() for text in texts(item)]
        case list():
            return [text for item in value for text in texts(item)]
        case _:
            return [str(value)]


def test_production_has_all_its_processes() -> None:
    assert {"postgres", "temporal", "temporal-ui", "migrate", "api", "worker"} <= SERVICES.keys()


@each_service
def test_a_service_says_where_it_comes_from(name: str) -> None:
    service = SERVICES[name]

    assert service.keys() & {"image", "build"}
    assert service.get("image") == "sojourn" or re.search(r":\S*\d", service["image"]), "an image needs a version"


@each_service
def test_a_service_waits_for_what_exists_and_will_come(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert other in ONE_SHOT


@each_service
def test_a_service_is_watched_or_ends(name: str) -> None:
    service = SERVICES[name]

    if name in ONE_SHOT:
        assert service["restart"].startswith("on-failure")
    else:
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service or name in WITHOUT_HEALTHCHECK


@each_service
def test_a_service_uses_only_volumes_and_configs_that_are_declared(name: str) -> None:
    service = SERVICES[name]

    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= COMPOSE["volumes"].keys()
    assert {config["source"] for config in service.get("configs", [])} <= COMPOSE["configs"].keys()


@each_service
def test_a_secret_has_no_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|(^|_)KEY$", key):
            assert re.fullmatch(r"\$\{\w+:\?.+\}", value), f"{key} is {value}"


def test_every_variable_is_in_the_example() -> None:
    # $$ is a dollar for the shell in the container, not for Compose.
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", "\n".join(texts(COMPOSE))))
    known = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))

    assert used <= known
    assert known - used <= {f"SOJOURN_{name.upper()}" for name in AllSettings.model_fields}  # by env_file


def test_only_the_api_is_open_to_other_machines() -> None:
    public = {
        name
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
        if not port.startswith("127.0.0.1:")
    }

    assert public == {"api"}


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    if not docker_compose():
        pytest.skip("needs docker compose")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    example = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / ".env").write_text(re.sub(r"^(\w+)=$", r"\1=x", example, flags=re.MULTILINE), "utf-8")

    checked = subprocess.run(
        ["docker", "compose", "config", "--quiet"], cwd=tmp_path, capture_output=True, check=False, text=True
    )

    assert checked.returncode == 0, checked.stderr
