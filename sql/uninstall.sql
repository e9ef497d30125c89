-- Remove everything that Pattern Sync has added: its schema and, with the functions, the triggers that call them. The
-- application's tables and their rows stay as they are, the queue included.

DROP SCHEMA IF EXISTS pattern_sync CASCADE;
