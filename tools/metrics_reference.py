"""The table of the metrics, from the catalogue that the daemon serves them by."""

from pattern_sync.observability.metrics.catalogue import Metric
from tools.markdown import table


def metrics_table() -> str:
    """Return every metric with its type, its labels and its help."""
    definitions = [metric.value for metric in Metric]
    rows = [
        (f"`{each.full_name}`", each.type, ", ".join(map("`{}`".format, each.labels)), each.help)
        for each in definitions
    ]
    return table(("metric", "type", "labels", "meaning"), rows)
