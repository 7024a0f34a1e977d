"""`python -m mandate`."""

from mandate.engine.cli import main

main()
