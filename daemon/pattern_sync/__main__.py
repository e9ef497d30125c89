"""Lets `python -m pattern_sync` be the command."""

from pattern_sync.cli.main import main

main()
