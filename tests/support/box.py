"""A real systemd to run the unit under: process 1 of namespaces of its own, on a throw-away copy of this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_SECONDS, eventually

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "support" / "systemd_box.sh"
BOOT_SECONDS = 15.0
# The unit hides home folders and /tmp. What the program needs of the checkout is mounted here.
PACKAGES, PROJECT, PYTHON = Path("/opt/box/packages"), Path("/opt/box/project"), Path("/opt/box/python")
_NEEDED = ("unshare", "nsenter", "systemctl", "journalctl", "systemd-run")


def why_there_is_none() -> str | None:
    """Return why no box can be had here; None where one can be tried."""
    if sys.platform != "linux":
        return "systemd runs on Linux only"
    if os.geteuid() != 0:
        return "only root can give systemd namespaces of its own"
    if not Path("/lib/systemd/systemd").is_file():
        return "systemd is not installed"
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


class BoxFailed(Exception):
    """The box did not boot; the text is what it printed."""


class Box:
    """Runs commands inside; `pid` is that of its process 1, seen from outside."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.root = Path(f"/proc/{pid}/root")

    def run(self, *command: str, check: bool = True, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        inside = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--uts", "--ipc", "--cgroup"]
        given = {
            "PATH": f"{PYTHON}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "SYSTEMD_COLORS": "0",
            "SYSTEMD_PAGER": "",
            **environment,
        }
        variables = [f"{name}={value}" for name, value in given.items()]
        done = subprocess.run(
            [*inside, "--wdns=/", "env", "-i", *variables, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS * 4,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Write a file, with its folders."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def remove(self, path: str) -> None:
        """Remove a file or a folder, if it is there."""
        target = self.root / path.lstrip("/")
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def install_program(self) -> None:
        """Make the virtual environment of the documentation, on the packages and the checkout that the tests use."""
        python = PYTHON / "bin" / Path(sys.executable).resolve().name
        interpreter = str(python) if _is_hidden(sys.base_prefix) else str(Path(sys.executable).resolve())
        self.run(interpreter, "-m", "venv", "--without-pip", "/opt/pattern-sync")
        library = f"/opt/pattern-sync/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        self.write(f"{library}/box.pth", f"{PACKAGES}\n{PROJECT / 'daemon'}\n")
        self.write(
            "/opt/pattern-sync/bin/pattern-sync",
            # An interpreter that was moved looks for its own library where it was built.
            f"#!/bin/sh\nexport LD_LIBRARY_PATH={PYTHON}/lib\n"
            "exec /opt/pattern-sync/bin/python -c 'from pattern_sync.cli.main import main; main()' \"$@\"\n",
            0o755,
        )


class Unit:
    """One service in a box."""

    def __init__(self, box: Box, name: str) -> None:
        self.box = box
        self.name = name

    def systemctl(self, verb: str, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.box.run("systemctl", verb, self.name, check=check)

    def show(self, name: str) -> str:
        """Return one property, such as ActiveState, MainPID, NRestarts, StatusText, Result."""
        return self.box.run("systemctl", "show", "--value", f"--property={name}", self.name).stdout.strip()

    @property
    def pid(self) -> int:
        """The main process, as the box numbers it."""
        return int(self.show("MainPID"))

    def is_active(self) -> bool:
        return self.show("ActiveState") == "active"

    def kill(self, number: signal.Signals) -> None:
        self.box.run("systemctl", "kill", "--kill-whom=main", f"--signal={number.name}", self.name)

    def drop_in(self, *lines: str, name: str = "test") -> None:
        """Change the unit as an operator does."""
        self.box.write(f"/etc/systemd/system/{self.name}.d/{name}.conf", "\n".join(["[Service]", *lines, ""]))
        self.box.run("systemctl", "daemon-reload")

    def journal(self) -> list[dict[str, Any]]:
        """Return the entries of this service, those of systemd about it included."""
        self.box.run("journalctl", "--sync", check=False)
        text = self.box.run("journalctl", "--output=json", "--all", f"--unit={self.name}").stdout
        return [json.loads(line) for line in text.splitlines()]

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the daemon's own log lines, all or of one event, each with the `priority` that the journal has."""
        found = []
        for entry in self.journal():
            with suppress(json.JSONDecodeError, TypeError):
                line = json.loads(entry["MESSAGE"])
                if isinstance(line, dict) and event in {None, line.get("event")}:
                    found.append({**line, "priority": int(entry["PRIORITY"])})
        return found

    def messages(self) -> str:
        """Return all that the journal holds of this service, as text."""
        return "\n".join(str(entry.get("MESSAGE", "")) for entry in self.journal())

    def wait_for(self, event: str, *, times: int = 1, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the daemon has logged an event for the n-th time; return that line."""
        try:
            eventually(lambda: len(self.lines(event)) >= times, seconds, what=event)
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{self.messages()}") from None
        return self.lines(event)[times - 1]


@contextmanager
def running_box() -> Iterator[Box]:
    """Boot a box and end it. Raises BoxFailed with what it printed."""
    folder = Path(tempfile.mkdtemp(prefix="pattern-sync-box-"))
    printed = folder / "console"
    with printed.open("wb") as console:
        script = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", str(SCRIPT), str(folder), *_mounts()],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    box = None
    try:
        box = _booted(script, folder / "pid", printed)
        yield box
    finally:
        if box is not None:
            with suppress(ProcessLookupError):
                os.kill(box.pid, signal.SIGKILL)
        else:
            script.terminate()
        script.wait()
        shutil.rmtree(folder)


def _booted(script: "subprocess.Popen[bytes]", pid_file: Path, printed: Path) -> Box:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and script.poll() is None:
        if pid_file.exists() and (pid := pid_file.read_text().strip()):
            box = Box(int(pid))
            if box.run("systemctl", "is-system-running", check=False).stdout.strip() in {"running", "degraded"}:
                return box
        time.sleep(0.05)
    raise BoxFailed(f"systemd did not start in namespaces of its own: {printed.read_text(errors='replace')[-2000:]}")


def _mounts() -> Sequence[str]:
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    hidden = [f"{sys.base_prefix}:{PYTHON}"] if _is_hidden(sys.base_prefix) else []
    return [f"{packages}:{PACKAGES}", f"{ROOT}:{PROJECT}", *hidden]


def _is_hidden(path: str) -> bool:
    """Return whether ProtectHome= and PrivateTmp= hide a path from the service."""
    return path.startswith(("/root/", "/home/", "/run/user/", "/tmp/", "/var/tmp/"))
