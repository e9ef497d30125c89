-- Create the missing triggers on operation_patterns, on the queue and on its history. Each table is locked against
-- writers for an instant.

SELECT pattern_sync.install_trigger(relation) FROM pattern_sync.tables_without_trigger() AS relation;
