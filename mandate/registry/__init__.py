"""The model registry, as Mandate needs it."""
