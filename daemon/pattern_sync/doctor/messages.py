"""The check of the messages to people: whether somebody is to be told, and whether it arrives."""

from collections.abc import Iterator

from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.messages import MessageState


def _messages(patient: Patient) -> Iterator[Finding]:
    if patient.settings is None:
        yield unknown(patient.complaint)
        return
    try:
        telling = patient.settings.telling()
    except InvalidSettings as fault:
        yield problem(str(fault), Remedy.advice("correct the setting that the reason names"))
        return
    if telling is None:
        yield fine("PATTERN_SYNC_NOTIFY_URLS is not set: nobody is to be told")
        return
    hosts = {each.channel: each.host for each in telling.destinations}
    rows = [row for row in patient.fetch("message_counts") if row["channel"] in hosts]
    off = {row["channel"]: row["reason"] for row in rows if row["reason"]}
    for channel, reason in off.items():
        yield problem(
            f"nothing is sent to {hosts[channel]} any more: {reason}", Remedy.command("pattern-sync notify test")
        )
    if dead := sum(row["messages"] for row in rows if row["state"] == MessageState.DEAD):
        yield warning(f"{dead:,} messages were given up", Remedy.command("pattern-sync notify list --state dead"))
    if not (off or dead):
        yield fine(f"{len(hosts)} destinations, and none refuses")


CHECKS = (
    Check(
        "messages",
        "whether the messages to people can be sent, and whether some were given up",
        "People are not told of patterns worth much, or of paused rules.",
        _messages,
    ),
)
