"""The gate: assembles facts, asks OPA, records the answer, and only then gives it."""
