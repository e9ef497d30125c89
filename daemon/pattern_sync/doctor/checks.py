"""Every check, in the order in which an operator reads them."""

from pattern_sync.doctor import announcing, connection, daemons, machine, messages, queue, rights, rules, schema, server
from pattern_sync.doctor.canary import CANARY
from pattern_sync.doctor.check import Check

CHECKS: tuple[Check, ...] = (
    *machine.CHECKS,
    *connection.CHECKS,
    *server.CHECKS,
    *schema.CHECKS,
    *rights.CHECKS,
    *announcing.CHECKS,
    *daemons.CHECKS,
    *queue.CHECKS,
    *messages.CHECKS,
    *rules.CHECKS,
)
WITH_CANARY = (*CHECKS, CANARY)
