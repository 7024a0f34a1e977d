"""Mandate: policy-as-code for machine-learning models, on Open Policy Agent."""

__version__ = "0.1.0"
