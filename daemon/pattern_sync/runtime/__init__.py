"""The composition root: settings in, running services out."""
