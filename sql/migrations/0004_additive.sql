-- Additive migrations: they add what the version before does not use, so daemons of that version work on. Those daemons
-- end if the number of the newest row is not theirs; so an additive migration extends that row instead of adding one.

-- The number of the newest additive migration since this version; NULL: there was none.
ALTER TABLE pattern_sync.migrations ADD COLUMN IF NOT EXISTS extended_to INTEGER;

UPDATE pattern_sync.migrations AS m SET extended_to = 4 WHERE m.version = 3;
