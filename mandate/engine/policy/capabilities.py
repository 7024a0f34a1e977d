"""What policies may call: not what reaches outside, and not what differs between replays.

`python -m mandate.engine.policy.capabilities OPA` prints `opa/capabilities.json` for the OPA that is named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .command import run

REFUSED: Mapping[str, str] = {
    "crypto.x509.parse_and_verify_certificates": "reads the clock",
    "crypto.x509.parse_and_verify_certificates_with_options": "reads the clock",
    "http.send": "reaches the network",
    "io.jwt.decode_verify": "reads the clock",
    "io.jwt.encode_sign": "signs, which is not the policies' work, with salts",
    "io.jwt.encode_sign_raw": "signs, which is not the policies' work, with salts",
    "json.match_schema": "may fetch a schema from the network",
    "json.verify_schema": "may fetch a schema from the network",
    "net.cidr_contains": "no fact of a model is an address",
    "net.cidr_contains_matches": "no fact of a model is an address",
    "net.cidr_expand": "no fact of a model is an address, and it can fill the memory",
    "net.cidr_intersects": "no fact of a model is an address",
    "net.cidr_is_valid": "no fact of a model is an address",
    "net.cidr_merge": "no fact of a model is an address",
    "net.cidr_overlap": "no fact of a model is an address",
    "net.lookup_ip_addr": "reaches the network",
    "opa.runtime": "shows the environment and configuration of OPA",
    "print": "writes the input to OPA's log",
    "providers.aws.sign_req": "signs requests",
    "rand.intn": "differs between replays",
    "rego.metadata.chain": "costs six times the query: the catalogue has the annotations",
    "rego.metadata.rule": "costs six times the query: the catalogue has the annotations",
    "rego.parse_module": "policies are not data",
    "time.now_ns": "reads the clock: input.request.time is the only one",
    "trace": "writes the input to OPA's explanation",
    "uuid.rfc4122": "differs between replays",
}
"""Built-in functions that policies may not call, and why."""

FILE = "capabilities.json"


def restricted(current: Mapping[str, Any]) -> dict[str, Any]:
    """OPA's capabilities without what is refused, and with no host that may be reached."""
    allowed = [builtin for builtin in current["builtins"] if builtin["name"] not in REFUSED]
    return {**current, "builtins": allowed, "allow_net": []}


def current(opa: Path) -> dict[str, Any]:
    """What this OPA can do."""
    capabilities: dict[str, Any] = json.loads(run(opa, ["capabilities", "--current"], folder=Path()).stdout)
    return capabilities


def rendered(opa: Path) -> str:
    """The file `opa/capabilities.json` for this OPA."""
    return json.dumps(restricted(current(opa)), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered(Path(sys.argv[1])))
