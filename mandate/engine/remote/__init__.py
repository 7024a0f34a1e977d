"""Asks a service of Mandate's from elsewhere. Little is imported: who asks must not wait for what judges."""
