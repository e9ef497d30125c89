"""From "something may matter" to "it is in the queue"."""
