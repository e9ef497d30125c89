"""Messages to people outside the page: written for each kind of destination, and brought there."""

from pattern_sync.delivery.courier import Courier
from pattern_sync.delivery.other import check_apprise
from pattern_sync.delivery.rendering import render

__all__ = ["Courier", "check_apprise", "render"]
