"""SQLite storage: one writer, many readers, and a store for each group of tables."""
