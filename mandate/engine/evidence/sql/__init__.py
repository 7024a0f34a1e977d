"""The ledger in a database: SQLite, embedded, or PostgreSQL, shared. The SQL is in files, read by aiosql."""
