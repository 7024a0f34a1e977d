"""Puts the parts together as `mandate.yaml` says: only here are collectors, registry and sources named."""

from .entries import attestation, entry, envelope, recorded, signed
from .exports import Restored, export, exported, restore
from .facts import (
    check_collectors,
    collected,
    collector_options,
    configured_tier,
    known_environment,
    risk_tier,
    signed_ahead,
)
from .gate import Mandate, assembled
from .ledgers import (
    consents,
    create_ledger,
    demand_newest,
    first_use,
    head_key,
    key_folder,
    key_status,
    ledger,
    open_ledger,
    opened,
    public_keys,
    recorder,
    signing_key,
)
from .opa import ReadyJudge, judge, local_opa, opa_program, sidecar
from .people import consenting, of_people, shown
from .policies import (
    bundle,
    compiled_policies,
    documentation,
    past_policies,
    policy_folders,
    policy_release,
    policy_store,
)
from .process import caller, now
from .registries import lifecycle, model_registry
from .replays import comparison, means_of_replay

__all__ = [
    "Mandate",
    "ReadyJudge",
    "Restored",
    "assembled",
    "attestation",
    "bundle",
    "caller",
    "check_collectors",
    "collected",
    "collector_options",
    "comparison",
    "compiled_policies",
    "configured_tier",
    "consenting",
    "consents",
    "create_ledger",
    "demand_newest",
    "documentation",
    "entry",
    "envelope",
    "export",
    "exported",
    "first_use",
    "head_key",
    "judge",
    "key_folder",
    "key_status",
    "known_environment",
    "ledger",
    "lifecycle",
    "local_opa",
    "means_of_replay",
    "model_registry",
    "now",
    "of_people",
    "opa_program",
    "open_ledger",
    "opened",
    "past_policies",
    "policy_folders",
    "policy_release",
    "policy_store",
    "public_keys",
    "recorded",
    "recorder",
    "restore",
    "risk_tier",
    "shown",
    "sidecar",
    "signed",
    "signed_ahead",
    "signing_key",
]
