"""How a decision is shown."""
