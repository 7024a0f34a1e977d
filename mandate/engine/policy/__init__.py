"""Turns policy sources into a bundle: Rego, thresholds, collections and the catalogue of rules."""
