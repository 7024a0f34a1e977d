"""What somebody who deploys makes first: a key that signs, released policies, a caller, passwords."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.organisation import Organisation

USER = 65532


@dataclass(frozen=True)
class Released:
    """An organisation whose policies are released."""

    organisation: Organisation
    name: str
    token: str
    callers: str

    @classmethod
    def make(cls, folder: Path) -> Released:
        organisation = Organisation(folder)
        name = "bank.example/models"
        for command in (
            ("init", "--name", name),
            ("policy", "bundle", "--new-key", "policies.pem", "--algorithm", "ES256"),
            ("policy", "bundle", "--key", "policies.pem", "--release", "1", "--to", "policies.tar.gz"),
        ):
            ran = organisation.mandate(*command)
            assert ran.exit_code == 0, ran.err
        made = organisation.mandate("token", "ci", "--role", "decider", "--output", "json").json
        return cls(organisation, name, made["token"], json.dumps([made["caller"]]))

    def lay(self, secrets: Path, policies: Path) -> None:
        """Where the Compose file mounts it."""
        folder = self.organisation.folder
        contents = {
            policies / file: (folder / file).read_bytes() for file in ("policies.tar.gz", "policies.pub")
        }
        for key in (folder / ".mandate/keys").iterdir():
            contents[secrets / "keys" / key.name] = key.read_bytes()
        contents[secrets / "callers.yaml"] = self.callers.encode()
        for role in ("owner", "writer"):
            contents[secrets / f"{role}.pgpass"] = (
                f"postgresql:5432:mandate:mandate_{role}:of {role}\n".encode()
            )
        for role in ("postgres", "owner", "writer"):
            contents[secrets / f"{role}.password"] = f"of {role}\n".encode()
        for file, content in contents.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o444 if file.suffix == ".password" else 0o400)
        for top in (secrets, policies):
            subprocess.run(["chmod", "u=rx,go=", top], check=True)
            subprocess.run(["chown", "--recursive", f"{USER}:{USER}", top], check=True)
