"""`mandate init`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..configuration import FILE_NAME
from ..errors import BadConfiguration

_LEDGER = "ledger.db"
_KEY = "keys/signing.pem"

_SETTINGS = """\
{modeline}
# How Mandate judges this organisation's models.
# Paths are relative to this file. Any setting can be overridden by an environment variable, such as
# MANDATE_OPA__TIMEOUT=2, or by a flag, such as --set opa.timeout=2. A name that nobody knows is an error.

ledger:
  # One organisation, one name: it stands in every piece of evidence, so choose it for good.
  name: {name}
  path: .mandate/ledger.db
  # Signs the evidence: a file, which you keep out of version control and back up, ssh-agent:SHA256:…, a token
  # (hsm:…) or a service (awskms:…, gcpkms:…, azurekms:…, hv:…). `mandate key rotate` replaces it.
  key: .mandate/keys/signing.pem
  # For a key of a token or service, the file with its public key; and who signs the heads of the log, if that
  # is no Ed25519 key.
  # public_key: .mandate/keys/token.pub
  # head_key: .mandate/keys/heads.pem

# Where policies come from, in order: "library" comes with Mandate; the folder is yours. Rules in yours are
# added to the library's, thresholds in yours replace the library's one by one.
policies: [library, policies]
# Where policies are released (`mandate policy bundle`): the bundle, and the public key that signs it. Then
# nothing else is a root, and no release that is older than one that was in use.
# policies: [releases/policies.tar.gz]
# policy_key: policy-key.pub

# Where people read what `mandate policy docs --site` writes, a URL or a folder: reports link to it.
# documentation: https://policies.bank.example

opa:
  # A sidecar: http://…, https://… or unix://… . Without one, Mandate starts its own child for each question.
  # url: http://127.0.0.1:8181
  # Seconds for one question, from end to end. Too late is undecided, never allow.
  timeout: 10

registry:
  # An MLflow tracking server (https://mlflow.bank.example) or its SQLite file.
  tracking_uri: sqlite:///mlflow.db
  # Where the files of models may lie beside what a tracking server serves: folders, or s3://bank-models/approved.
  # From anywhere else nothing is fetched, whatever is registered.
  artifacts: [mlruns, mlartifacts]

# `mandate serve`, which answers over HTTP.
# service:
#   # Where: this, unless you say otherwise. From another machine it is asked with a certificate.
#   listen: 127.0.0.1:8080
#   # tls: {{certificate: tls.crt, key: tls.key}}
#   # Who may ask: `mandate token` makes a token, and the lines for this file.
#   callers: callers.yaml

models: {{}}
  # credit:
  #   # low, limited or high. Overrides the registered model's tag mandate.risk_tier.
  #   # Without either: the highest. A version's own tag does not count.
  #   risk_tier: high

# Where facts come from. "run:" is an artifact of the run that made the model version, "model:" a file of the
# model itself, anything else a path relative to this file. A collector that is not configured is reported as
# missing, and a rule that needs its facts denies.
collectors:
  mlflow: {{}}
  # fairness:
  #   predictions: run:evaluation/predictions.parquet
  #   id: application_id
  #   label: approved
  #   prediction: predicted
  #   positive: "yes"
  #   sensitive: [sex, age_group]
  #   intersections: [[sex, age_group]]
  # performance:
  #   predictions: run:evaluation/predictions.parquet
  #   id: application_id
  #   label: approved
  #   prediction: predicted
  #   positive: "yes"
  #   metrics: [accuracy]
  #   baseline: champion
  # drift:
  #   reference: run:data/training.parquet
  #   current: run:evaluation/batch.parquet
  # data_schema:
  #   current: run:evaluation/batch.parquet
  #   training: run:data/training.parquet
  # provenance:
  #   record: run:provenance.json
  #   repository: .
  # developers:
  #   directory: developers.yaml
  #   repository: .
  # documentation:
  #   card: run:model_card.md
"""

_POLICIES = """\
# This organisation's policies

- `thresholds/*.yaml` replaces the library's thresholds, one by one. Decisions name the file and line of each.
- `waivers/*.yaml` accepts violations for a time, with who answers for each.
- `people/*.yaml` says who may run `mandate approve` and `mandate waive`: roles and public keys.
- `mandate/rules/<category>/<rule>/<rule>.rego` adds a rule: `mandate policy new` writes it.

`mandate policy list` shows which rules apply to what, `mandate policy schema --write` lets editors complete
these files. `mandate policy check` finds typos, `mandate policy test` runs the tests.
"""


@click.command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option(
    "--name",
    prompt="The ledger's name, such as bank.example/models",
    help="The ledger's name (its origin), such as bank.example/models.",
)
@click.option(
    "--passphrase",
    "locked",
    is_flag=True,
    help="Lock the signing key with a passphrase: then MANDATE_KEY_PASSPHRASE or …_PASSPHRASE_FILE has it "
    "wherever a decision is recorded, or somebody types it.",
)
def command(directory: Path, name: str, locked: bool) -> None:
    """Write mandate.yaml, a folder for your policies, and the ledger with its signing key."""
    from ... import composition
    from .. import configuration_schema
    from ..evidence import keys
    from ..evidence.signers.secrets import Secrets
    from ..evidence.sql import sqlite
    from ..input.schema import text
    from ..policy import editors

    file, state = directory / FILE_NAME, directory / ".mandate"
    for path in (file, state / _LEDGER, state / _KEY):
        if path.exists():
            raise BadConfiguration(
                "it exists already, and init never overwrites",
                where=str(path),
                next_step="Keep it, or choose another directory",
            )
    passphrase = Secrets().new_passphrase("the new signing key") if locked else b""
    policies = directory / "policies"
    (policies / "thresholds").mkdir(parents=True, exist_ok=True)
    state.mkdir(mode=0o700, exist_ok=True)
    (state / ".gitignore").write_text(
        "# The ledger, its key and past policies: not for version control.\n*\n"
    )
    sqlite.create(state / _LEDGER, origin=name)  # first, because it refuses a name that cannot be one
    key = keys.create(state / _KEY, passphrase)
    composition.open_ledger(state / _LEDGER, key)
    readme = policies / "README.md"
    if not readme.exists():
        readme.write_text(_POLICIES)
    file.write_text(_SETTINGS.format(modeline=editors.line(file, state), name=json.dumps(name)))
    schema = configuration_schema.json_schema(composition.collector_options())
    editors.write({editors.schema_of(file): text(schema)}, state)
    wrote = {
        str(file): "what to collect, and from where: edit it next",
        f"{policies}/": "your thresholds and rules, beside the library's",
        f"{state}/": "the ledger of decisions, and the key that signs them",
    }
    width = max(map(len, wrote))
    for place, what in wrote.items():
        click.echo(f"wrote {place:<{width}}  {what}")
    click.echo(f"\nThe key's fingerprint is {key.keyid}.")
    click.echo("Auditors need it: keep it where the ledger is not.")
    if not locked:
        click.echo(
            "Whoever reads the key's file can sign; `mandate key rotate --passphrase` locks a new one."
        )
    click.echo("Next: mandate doctor")
