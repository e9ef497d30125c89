"""The other ways to run it that systemd/ and the documentation offer, each step as it is written there."""

import re
import shutil

import pytest

from tests.support.box import ROOT, Box
from tests.support.database import TestDatabase
from tests.support.waiting import eventually
from tests.systemd.conftest import Service, spelt_out

pytestmark = pytest.mark.slow

DOCUMENT = (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")


def steps(heading: str) -> str:
    """Return the shell commands of a section of the documentation."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert section, heading
    return "\n".join(re.findall(r"^```sh\n(.+?)^```", section, re.MULTILINE | re.DOTALL))


def drop_in_of(heading: str) -> list[str]:
    """Return the lines of the drop-in that a section shows."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```ini\n\[Service\]\n(.+?)^```", section, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1].splitlines()


def test_the_documented_steps_lead_to_a_running_service(box: Box, service: Service, database: TestDatabase) -> None:
    database.add_pattern("first")
    service.remove()
    box.remove("/etc/systemd/system/pattern-sync.service")
    box.remove("/opt/pattern-sync")
    commands = steps("Install")
    # What this box has no index for.
    install = re.search(r"^/opt/pattern-sync/bin/pip install .+$", commands, re.MULTILINE)
    assert install
    before, after = commands.split(install[0])
    url = re.search(r"postgresql://\S+?(?=['\"])", after)
    assert url
    port = "echo PATTERN_SYNC_HTTP_PORT=0 >>/etc/pattern-sync/pattern-sync.env\n"
    after = after.replace(url[0], spelt_out(database.url)).replace(
        "systemctl daemon-reload", f"{port}systemctl daemon-reload"
    )
    box.run("sh", "-euxc", f"cd /opt/box/project\n{before.replace('python3 -m venv', 'python3 -m venv --without-pip')}")
    box.install_program()
    box.run("sh", "-euxc", f"cd /opt/box/project\n{after}")
    assert service.is_active(), service.messages()
    assert database.queue() == {"first"}
    assert box.run("systemctl", "is-enabled", service.name).stdout.strip() == "enabled"
    mode = (box.root / "etc/pattern-sync/database-url").stat().st_mode & 0o777
    assert mode == 0o600


def test_the_embedded_server_runs_inside_the_hardened_unit(service: Service) -> None:
    service.box.remove("/etc/pattern-sync/database-url")
    service.drop_in(*drop_in_of("Without a database of your own"))
    service.start()
    eventually(lambda: service.show("StatusText") == "listening; 0 queued, 0 failed since start")
    assert (service.box.root / "var/lib/private/pattern-sync").stat().st_mode & 0o777 == 0o700
    assert "postgres" in service.box.run("ps", "-eo", "args").stdout
    service.systemctl("stop")
    assert service.show("Result") == "success"
    assert "/var/lib/pattern-sync" not in service.box.run("ps", "-eo", "args").stdout
    service.start()


def test_one_template_serves_several_databases(
    box: Box, service: Service, database: TestDatabase, empty_database: TestDatabase
) -> None:
    url = spelt_out(empty_database.url)
    box.run("/opt/pattern-sync/bin/pattern-sync", "migrate", PATTERN_SYNC_DATABASE_URL=url)
    instances = {"orders": database, "billing": empty_database}
    services = []
    for name, each in instances.items():
        instance = Service(box, f"pattern-sync@{name}.service")
        instance.settings(file=f"/etc/pattern-sync/{name}.env")
        instance.database(each.url, file=f"/etc/pattern-sync/{name}.database-url")
        instance.start()
        services.append(instance)
    try:
        for name, each in instances.items():
            each.add_pattern(name)
            eventually(lambda each=each, name=name: each.queue() == {name})  # type: ignore[misc]
    finally:
        for instance in services:
            instance.systemctl("stop")
    assert service.show("ActiveState") == "inactive"


def test_the_drop_in_for_a_local_database_leaves_this_machine_only(service: Service, database: TestDatabase) -> None:
    drop_ins = service.box.root / f"etc/systemd/system/{service.name}.d"
    drop_ins.mkdir()
    shutil.copy(ROOT / "systemd" / "local-database.conf", drop_ins)
    service.box.run("systemctl", "daemon-reload")
    service.start()
    database.add_pattern("local")
    eventually(lambda: database.entry("local"))


def test_a_credential_that_is_missing_is_waited_for(service: Service, database: TestDatabase) -> None:
    service.box.remove("/etc/pattern-sync/database-url")
    assert service.systemctl("start", check=False).returncode != 0
    assert "243/CREDENTIALS" in service.messages()
    service.database(database.url)
    service.wait_for("daemon.ready")
