-- The trigger on operation_patterns, where it is missing. The table is locked against writers for an instant.

SELECT pattern_sync.install_trigger(relation) FROM pattern_sync.tables_without_trigger() AS relation;
