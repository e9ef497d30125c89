"""A container engine, and docker-compose.yml as a user runs it."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CALL_SECONDS = 300.0
_INSTALLED = ("docker", "podman")


@dataclass(frozen=True)
class Engine:
    """The command of an engine that answers, at DOCKER_HOST or on this machine."""

    command: str

    def run(self, *arguments: str, environ: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
        """Return what a call prints to standard output; it has to succeed."""
        done = _call((self.command, *arguments), environ, cwd)
        assert done.returncode == 0, f"{self.command} {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
        return done.stdout.strip()

    def exec(self, container: str, *command: str) -> tuple[int, str]:
        """Run a command in a container; return its exit code and all that it printed."""
        done = _call((self.command, "exec", container, *command))
        return done.returncode, done.stdout + done.stderr

    def logs(self, container: str) -> str:
        done = _call((self.command, "logs", container))
        return done.stdout + done.stderr

    def exit_code(self, container: str) -> int:
        """Wait for the end of a container."""
        return int(self.run("wait", container))

    def inspect(self, container: str, template: str) -> str:
        return self.run("inspect", "--format", template, container)


def find_engine() -> Engine | str:
    """Return an engine that can run Compose files, or why there is none."""
    reasons = []
    for command in _INSTALLED:
        if shutil.which(command) is None:
            reasons.append(f"{command} is not installed")
            continue
        for question in ("info", "compose version"):
            answer = _call((command, *question.split()))
            if answer.returncode != 0:
                reasons.append(f"{command} {question}: {answer.stderr.strip().splitlines()[-1]}")
                break
        else:
            return Engine(command)
    return "; ".join(reasons)


class Deployment:
    """The services of docker-compose.yml under names, ports and secrets of their own."""

    def __init__(self, engine: Engine, folder: Path, tag: str, ports: Sequence[int]) -> None:
        self.engine = engine
        self.ports = ports
        self.name = f"pattern-sync-test-{os.getpid()}"
        self._folder = folder
        self._environ = {
            "COMPOSE_PROJECT_NAME": self.name,
            "TAG": tag,
            **{f"PORT_{number}": str(port) for number, port in enumerate(ports, 1)},
        }
        shutil.copy(ROOT / "docker-compose.yml", folder)
        subprocess.run(["sh", "-eu", "-c", documented("secrets")], cwd=folder, check=True)

    @property
    def token(self) -> str:
        return self.secret("api_token").read_text().strip()

    def secret(self, name: str) -> Path:
        return self._folder / "secrets" / name

    def compose(self, *arguments: str, **environ: str) -> str:
        return self.engine.run("compose", *arguments, environ={**self._environ, **environ}, cwd=self._folder)

    def container(self, service: str) -> str:
        """Return the id of a service's container, also of one that has ended."""
        return self.compose("ps", "--all", "--quiet", service)

    def start_another(self, *options: str, service: str = "daemon-1", **settings: str) -> str:
        """Start one more container of a service and return its id; an empty setting counts as unset."""
        given = [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
        started = self.compose("run", "--detach", "--no-deps", "--no-TTY", *given, *options, service)
        return started.splitlines()[-1]

    def psql(self, *options: str) -> list[str]:
        """Return the command that opens the database as its owner, in its own container."""
        command = ["exec", "--no-TTY", "database", "psql", "--username=owner", "--dbname=app", "-qAt"]
        return [self.engine.command, "compose", *command, *options]

    def sql(self, text: str) -> str:
        done = _call(tuple(self.psql("--command", text)), self._environ, self._folder)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def open_psql(self) -> "subprocess.Popen[str]":
        """Return a session that runs what is written to it, statement by statement."""
        return subprocess.Popen(
            self.psql("--set", "ON_ERROR_STOP=1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **self._environ},
            cwd=self._folder,
            text=True,
        )

    def everything(self) -> list[str]:
        """Return the names of all containers, volumes and networks that are there."""
        listed = ("ps --all --format {{.Names}}", "volume ls --format {{.Name}}", "network ls --format {{.Name}}")
        names = "\n".join(self.engine.run(*question.split()) for question in listed).split()
        return [name for name in names if self.name in name]


def documented(name: str) -> str:
    """Return the commands of docs/containers.md under the mark `<!-- tested: name -->`."""
    page = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    (commands,) = re.findall(rf"<!-- tested: {name} -->\n```sh\n(.*?)```", page, re.DOTALL)
    return str(commands)


def _call(
    command: Sequence[str], environ: dict[str, str] | None = None, cwd: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env={**os.environ, **(environ or {})},
        cwd=cwd,
        timeout=CALL_SECONDS,
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
