"""Asks over HTTP/1.1, in bounded time and space. It knows nobody who is asked."""
