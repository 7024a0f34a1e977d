"""Policies that know some of their rules only, to judge by these alone.

Their annotations, where they apply and their waivers are all that is left of the data that speaks of rules.
The library looks up nothing there about one rule to judge another one, but for those that replace each other
(`reach` keeps these together); and that rules look up nothing there at all, `reach` sees to.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..digests import canonical, document_sha256, sha256
from ..policy import archive, contents
from ..policy.bundle import Bundle
from ..policy.tree import MANIFEST


def reduced(bundle: Bundle, rules: Collection[str], folder: Path) -> Bundle:
    """The bundle, written into `folder`, with what its data say of rules cut down to these.

    All other data and all Rego are the same. Its revision is none that any sources have.
    """
    entries = archive.unpack(archive.read(bundle.path))
    data = json.loads(entries[archive.DATA])["mandate"]
    cut = {
        "applicable": {
            action: {environment: _of(rules, index) for environment, index in environments.items()}
            for action, environments in data["applicable"].items()
        },
        "catalogue": _of(rules, data["catalogue"]),
        "waivers": [waiver for waiver in data["waivers"] if waiver["rule"].partition(":")[0] in rules],
    }
    digest = document_sha256(sorted(rules))
    revision = f"{bundle.revision} reduced to rules sha256:{digest}"
    content = archive.pack(
        {path: entry for path, entry in entries.items() if path.startswith("mandate/")}
        | {
            archive.DATA: canonical({"mandate": data | cut}),
            contents.MANIFEST_ENTRY: canonical({"revision": revision, **MANIFEST}),
        }
    )
    file = folder / f"{digest}{archive.SUFFIX}"
    file.write_bytes(content)
    return Bundle(revision, file, sha256(content))


def _of(rules: Collection[str], index: Mapping[str, Any]) -> dict[str, Any]:
    return {rule: about for rule, about in index.items() if rule in rules}
