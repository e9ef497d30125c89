"""What the daemon tells: its log, its state, systemd."""
