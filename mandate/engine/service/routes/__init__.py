"""The routes, one module a kind of thing."""
