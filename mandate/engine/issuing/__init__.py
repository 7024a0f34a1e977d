"""Certificates that Mandate makes for its own service: `mandate certs ensure`."""
