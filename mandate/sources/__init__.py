"""Reads the files and tables that collectors gather facts from."""
