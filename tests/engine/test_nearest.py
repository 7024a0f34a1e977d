from __future__ import annotations

from mandate.engine.nearest import advice, nearest


def test_the_most_alike_name_is_meant() -> None:
    assert nearest("demografic_parity", ["equalized_odds", "demographic_parity"]) == "demographic_parity"
    assert nearest("zzz", ["equalized_odds", "demographic_parity"]) is None


def test_advice_names_the_nearest_or_all() -> None:
    assert advice("stagging", {"staging", "production"}) == "Write staging"
    assert advice("zzz", {"staging", "production"}) == "Known here: production, staging"
    assert advice("zzz", ()) == "Remove it"
