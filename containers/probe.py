#!/usr/bin/env -S python3 -IS
"""Ask the daemon of this container how it is: `probe /livez` or `probe /readyz`.

It prints the answer, so that `docker inspect` shows the reasons beside the verdict. It imports as little as possible: a
health check runs every few seconds in a new interpreter, and `http.client` alone takes ten times as long as the rest.
"""

import os
import socket
import sys

_SECONDS = 4.0  # below the health check's own deadline, after which nothing would be printed


def ask(path: str, host: str, port: int) -> tuple[bool, str]:
    """Return whether the answer is 200, and its body. Raises OSError."""
    request = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((host, port), _SECONDS) as connection:
        connection.sendall(request.encode("ascii"))
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode("utf-8", "replace")
    head, _, body = answer.partition("\r\n\r\n")
    return head.split()[1:2] == ["200"], body


def main() -> int:
    """Print the daemon's answer to the path in the arguments; return 0 if all is well, else 1."""
    # The wildcard addresses lead to this machine, too.
    host, port = os.environ["PATTERN_SYNC_HTTP_HOST"], int(os.environ["PATTERN_SYNC_HTTP_PORT"])
    try:
        well, answer = ask(sys.argv[1], host, port)
    except OSError as fault:
        well, answer = False, f"No answer on port {port}: {fault.strerror or fault}."
    print(answer)  # noqa: T201 - what a health check is asked for
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
