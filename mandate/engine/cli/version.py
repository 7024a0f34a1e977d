"""`mandate version`."""

from __future__ import annotations

import click

from ... import __version__


@click.command("version")
def command() -> None:
    """Print the versions of Mandate and of its parts."""
    from importlib.metadata import PackageNotFoundError, version

    click.echo(f"mandate {__version__}")
    for name in ("mlflow", "fairlearn", "evidently", "scikit-learn", "pandas"):
        try:
            click.echo(f"{name} {version(name)}")
        except PackageNotFoundError:
            click.echo(f"{name} not installed")
