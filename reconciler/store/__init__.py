"""Disk: record files, claims, requests, schedule state, and the SQLite index. Sole importer of sqlite3."""
