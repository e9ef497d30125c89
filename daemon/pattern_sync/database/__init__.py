"""Everything that connects to PostgreSQL."""
