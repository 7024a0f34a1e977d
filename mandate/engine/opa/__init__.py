"""Asks Open Policy Agent, and refuses what is not an answer."""
