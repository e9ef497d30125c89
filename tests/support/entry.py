"""The program with other timings than production's: `python -m tests.support.entry TIMINGS [ARGUMENT...]`."""

import functools
import json
import sys
from collections.abc import Mapping

from pattern_sync.cli.main import main as program
from pattern_sync.runtime import life
from pattern_sync.services.timings import Timings


def main(timings: Mapping[str, float]) -> None:
    """Run the command line; its daemon takes production's timings where these name none."""
    if timings:
        # Where the command looks for it: there is no setting for what nobody should have to set.
        vars(life)["run_daemon"] = functools.partial(life.run_daemon, timings=Timings(**timings))
    program()


if __name__ == "__main__":
    main(json.loads(sys.argv.pop(1)))
