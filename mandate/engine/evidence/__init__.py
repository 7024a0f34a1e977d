"""Signed, append-only evidence of what was decided."""
