"""People with keys of their own, as the policies of an organisation know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mandate.engine.evidence import keys
from tests.organisation import Organisation, Ran


@dataclass(frozen=True)
class Signatory:
    """Somebody who signs with a key file."""

    name: str
    key: Path
    public: str
    """As SSH writes it."""
    keyid: str

    @classmethod
    def made(cls, folder: Path, name: str) -> Signatory:
        """With a new key below `folder`."""
        file = folder / f"{name}.pem"
        public_key = keys.create(file).public_key
        return cls(name, file, public_key.ssh, public_key.keyid)

    def signs(self, organisation: Organisation, *arguments: str) -> Ran:
        """What a command of this person's does, without being asked."""
        return organisation.mandate(*arguments, "--yes", "--key", str(self.key))


def employ(organisation: Organisation, people: Sequence[tuple[Signatory, Sequence[str]]]) -> None:
    """Let the organisation's policies know these people, each with roles, and nobody else."""
    file = organisation.folder / "policies/people/all.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "".join(
            f"- name: {person.name}\n  keys: [{person.public}]\n  roles: [{', '.join(roles)}]\n"
            for person, roles in people
        )
    )
