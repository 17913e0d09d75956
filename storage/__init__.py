"""The database: one writer, many readers, one file a table group."""
