"""The site of `mandate policy docs` in a real browser, without a server or a network.

Runs where CHROMIUM names a Chromium, as in CI; the other tests of the site read its HTML.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.engine.policy.docs.pages import attributes, parsed
from tests.organisation import founded

if "CHROMIUM" in os.environ:

    @pytest.fixture(scope="module")
    def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
        organisation = founded(tmp_path_factory.mktemp("browser"))
        assert organisation.mandate("policy", "docs", "--site", "--to", "site").exit_code == 0
        return organisation.folder / "site"

    def opened(address: str, profile: Path, *options: str) -> str:
        """The document after its scripts ran."""
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        ran = subprocess.run(
            [
                os.environ["CHROMIUM"],
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                *quiet,
                "--proxy-server=127.0.0.1:9",
                f"--user-data-dir={profile}",
                "--virtual-time-budget=10000",
                *options,
                "--dump-dom",
                address,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return ran.stdout

    def test_a_rule_is_found_by_what_it_is_called(site: Path, tmp_path: Path) -> None:
        found = parsed(opened(f"{(site / 'search.html').as_uri()}?q=parity", tmp_path))
        results = found.find("ul", class_="search")
        assert results is not None
        targets = {to.partition("?")[0] for to in attributes(parsed(str(results)), "href")}
        assert "rules/fairness/demographic_parity.html#fairness.demographic_parity" in targets

    def test_the_id_of_a_rule_leads_to_it(site: Path, tmp_path: Path) -> None:
        page = (site / "rules/fairness/demographic_parity.html").as_uri()
        script = (
            "<script>addEventListener('load', () => "
            "document.title = 'at: ' + document.querySelector(':target > h1').textContent)</script>"
        )
        copy = site / "rules/fairness/probe.html"
        copy.write_text((site / "rules/fairness/demographic_parity.html").read_text() + script)
        address = page.replace("demographic_parity.html", "probe.html") + "#fairness.demographic_parity"
        title = parsed(opened(address, tmp_path)).title
        assert title is not None
        assert title.get_text().startswith("at: Groups are selected at similar rates")

    def test_no_page_is_wider_than_a_narrow_window(site: Path, tmp_path: Path) -> None:
        script = (
            "<script>addEventListener('load', () => document.title = "
            "document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('table')]"
            ".every(t => t.getBoundingClientRect().right <= innerWidth) ? 'fits' : 'too wide')</script>"
        )
        for name in ("index", "controls", "collections", "thresholds", "rules/registry/digest"):
            probe = site / f"{name}-probe.html"
            probe.write_text((site / f"{name}.html").read_text() + script)
            title = parsed(opened(probe.as_uri(), tmp_path, "--window-size=500,900")).title
            assert title is not None
            assert title.get_text() == "fits", name
