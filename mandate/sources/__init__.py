"""Reads the files and tables that collectors gather facts from."""

from .version import VersionSources

__all__ = ["VersionSources"]
