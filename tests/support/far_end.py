"""The far end of a cable, in a network namespace of its own: `python -m …far_end ADDRESS TARGET_HOST TARGET_PORT`."""

import signal
import sys

from tests.support.proxy import Proxy

if __name__ == "__main__":
    address, host, port = sys.argv[1:]
    with Proxy(host, int(port), listen_on=address) as proxy:
        print(proxy.port, flush=True)  # noqa: T201 - for whoever started it
        signal.pause()
