-- Take away everything that Pattern Sync has added: its schema, and with the functions the triggers that call them.
-- The application's tables, their rows and the queue stay as they are.

DROP SCHEMA IF EXISTS pattern_sync CASCADE;
