"""Run the command as `python -m pattern_sync`."""

from pattern_sync.cli.main import main

main()
