"""The bank's people, in the files that Mandate's collectors read.

The persons are invented. Their certificates' dates are computed when the demo runs, so that the story does
not end on the day on which a date written into a file passes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ruamel.yaml import YAML

AUTHOR_NAME, AUTHOR = "Ada Lindqvist", "ada.lindqvist@bank.example"
OWNER = "mira.okonkwo@bank.example"
RISK_OFFICER = "tomas.reyes@bank.example"


def write_directory(file: Path, now: datetime) -> None:
    """The directory of developers: whoever builds models, with certificates that hold at `now`."""
    certificate = {
        "title": "Ethics of automated credit decisions",
        "issuer": "Institute of Banking Ethics",
        "topics": ["ethics", "fairness"],
        "issued": (now - timedelta(days=200)).date().isoformat(),
        "expires": (now + timedelta(days=530)).date().isoformat(),
    }
    _write(
        file,
        "Who builds models, and what they are trained for. No developer can write to this file.",
        {
            "apiVersion": "mandate.developers/v1",
            "accredited_issuers": ["Institute of Banking Ethics"],
            "developers": [
                {"identities": [AUTHOR], "roles": ["data_scientist"], "certificates": [certificate]},
            ],
        },
    )


def write_approvals(file: Path, approved: list[dict[str, str]], now: datetime) -> None:
    """Both approvers consent to each of `approved`: `name`, `version` and `sha256` (root digest)."""
    _write(
        file,
        "Who consented to which artifact. The digest says which: consent to one version is none to another.",
        [
            {
                "role": role,
                "approver": approver,
                "subject_sha256": model["sha256"],
                "approved_at": now.astimezone(UTC).isoformat(timespec="seconds"),
                "reference": f"MODEL-{model['name']}-{model['version']}",
            }
            for model in approved
            for role, approver in (("model_owner", OWNER), ("risk_officer", RISK_OFFICER))
        ],
    )


def _write(file: Path, comment: str, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    yaml.width = 120
    yaml.default_flow_style = False
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"# {comment}\n")
        yaml.dump(value, stream)
