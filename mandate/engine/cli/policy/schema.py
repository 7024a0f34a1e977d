"""`mandate policy schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ...configuration import FILE_NAME, Configuration
from ...errors import BadConfiguration
from ...report.visible import visible
from .. import options
from .options import own_root, policies_and_settings

_SETTINGS = Path(FILE_NAME).stem
_BESIDE_THE_LIBRARY = 1


@click.command("schema")
@click.argument("name", required=False)
@click.option("--write", is_flag=True, help="Write all of them beside the ledger, for an editor.")
@options.output
@policies_and_settings
def command(
    name: str | None,
    write: bool,
    output: str,
    configuration: Configuration | None,
    folders: list[Path],
    opa: Path,
) -> None:
    """Print the JSON Schema of a YAML file that you write: which settings there are, and what they may be.

    NAME is people, scope, selection, waivers, mandate (for mandate.yaml), or thresholds of your policies,
    such as thresholds/fairness. Without a name, the names are listed.
    """
    if write and name is not None:
        raise click.UsageError("--write writes all of them: name none.")
    if write and configuration is None:
        raise BadConfiguration(
            f"there is no {FILE_NAME} to write them beside",
            where="--write",
            next_step="Run `mandate init`, or name the file with --config",
        )
    schemas = _schemas(configuration, folders, opa)
    if write and configuration is not None:
        _write(schemas, configuration, output)
    elif name is not None:
        from ...policy.schemas import called

        _print(schemas[called(name, schemas)])
    elif output == "json":
        click.echo(json.dumps([*schemas], indent=2))
    else:
        for known in schemas:
            click.echo(known)


def _schemas(configuration: Configuration | None, folders: list[Path], opa: Path) -> Mapping[str, Any]:
    from .... import composition
    from ... import configuration_schema
    from ...policy import build, schemas, sources

    compiled = build.compiled(sources.read(folders), opa=opa)
    number = own_root(configuration) if configuration else _BESIDE_THE_LIBRARY
    return {
        _SETTINGS: configuration_schema.json_schema(composition.collector_options()),
        **schemas.schemas(compiled, number),
    }


def _print(schema: Mapping[str, Any]) -> None:
    from ...input.schema import text

    click.echo(text(dict(schema)), nl=False)


def _write(schemas: Mapping[str, Any], configuration: Configuration, output: str) -> None:
    from ...input.schema import text
    from ...policy import editors

    folder = editors.write({name: text(schema) for name, schema in schemas.items()}, configuration.state)
    if output == "json":
        files = {name: str(folder / f"{name}.json") for name in schemas}
        click.echo(json.dumps({"files": files}, indent=2))
        return
    own = configuration.path(configuration.settings.policies[own_root(configuration)])
    example = own / "thresholds/fairness.yaml"
    click.echo(f"wrote {len(schemas)} schemas into {visible(str(folder))}/")
    click.echo(
        "\nAn editor with yaml-language-server (VS Code: the extension YAML) completes a file that begins"
    )
    click.echo(f"with a line such as this one, which is {visible(example.name)}'s:")
    click.echo(f"  {visible(editors.line(example, configuration.state))}")
    click.echo("\nWrite them again when rules were added, or when Mandate was updated.")
