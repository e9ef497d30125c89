-- The review: decisions by people, and live updates of the queue. Both are functions and triggers; this version number
-- is what a daemon that needs them asks for at its start.

INSERT INTO pattern_sync.migrations (version) VALUES (2);
