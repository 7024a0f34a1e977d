"""`mandate policy docs`: what people read about the policies."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mandate import share
from mandate.engine.errors import BadPolicy
from mandate.engine.policy.docs import site as policy_site
from tests.engine.policy.docs.pages import attributes, html, links_to_nothing, markdown, parsed
from tests.organisation import GOOD, Organisation, founded, with_value

PARITY = "fairness.demographic_parity"
PAGE = "rules/fairness/demographic_parity"
METRIC = ("fairness", "attributes", 0, "metrics", 0, "value")

HOSTILE = (
    "</title><script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) | b | "
    "`c\\|<i>d</i>` {include}`/etc/passwd` $x$ &lt; \\ *e* <https://evil.example>"
)
BLOCKS = (
    "```{include} /etc/passwd\n```\n\n# Heading\n\n(target)=\n\n% comment\n\n+++\n\n| a | b |\n|---|---|\n"
    "| c | d |\n\n:::{note}\nx\n:::\n\n    code\n\n[x]: javascript:alert(1)\n\n<details>\n\n"
    "![y](//evil.example/z.png)\u202e\x1b[31m"
)
RULE = """\
# METADATA
# title: {text}
# description: {blocks}
# custom:
#   failure_msg: {text}
#   solution: {blocks}
#   severity: high
#   collections: [hostile]
#   controls: [{text}, "](javascript:alert(1))", "EU AI Act <b>4</b>", "EU AI Act (b)4(b)"]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: ["<b>", "`"]
#   actions: [promote]
#   waivable: true
#   thresholds:
#     hostile.limits.*: {{type: string, enum: [{text}], unit: {text}}}
package mandate.rules.hostile.rule

import data.mandate.lib.check

# </details><script>alert(1)</script> ``` ````{{include}} /etc/passwd

terms := {{"x"}}

must contains check.present("x", input.x)
"""


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def write(organisation: Organisation, files: dict[str, str]) -> None:
    for path, content in files.items():
        file = organisation.folder / "policies" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def docs(organisation: Organisation, *arguments: str) -> Any:
    ran = organisation.mandate("policy", "docs", "--to", "docs", "--output", "json", *arguments)
    assert (ran.exit_code, ran.err) == (0, "")
    return ran.json


def page(organisation: Organisation, path: str) -> str:
    return (organisation.folder / "docs" / path).read_text()


def files(organisation: Organisation) -> dict[str, bytes]:
    folder = organisation.folder / "docs"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def rules() -> set[str]:
    return {
        f"{folder.parent.name}.{folder.name}" for folder in (share.policies() / "mandate/rules").glob("*/*")
    }


def test_every_rule_has_a_page_and_every_link_leads_somewhere(organisation: Organisation) -> None:
    written = docs(organisation)
    pages = {f"rules/{rule.replace('.', '/')}.md" for rule in rules()}
    overviews = {"index.md", "collections.md", "controls.md", "thresholds.md"}
    assert set(written["files"]) == pages | overviews
    assert written["changed"] == written["files"] == sorted(written["files"])
    assert (written["removed"], written["kept"], written["start"]) == ([], [], "docs/index.md")
    rendered = markdown(organisation.folder / "docs")
    assert links_to_nothing(rendered) == []
    for rule in rules():
        assert rendered[f"rules/{rule.replace('.', '/')}.md"].h1.find(id=rule)  # type: ignore[union-attr]
        assert f"rules/{rule.replace('.', '/')}.md#{rule}" in attributes(rendered["index.md"], "href")


def test_the_same_policies_give_the_same_bytes(organisation: Organisation) -> None:
    docs(organisation)
    first = files(organisation)
    again = docs(organisation)
    assert again["changed"] == []
    assert files(organisation) == first


def test_a_page_says_what_its_rule_asks_and_who_set_its_bounds(organisation: Organisation) -> None:
    write(
        organisation,
        {
            "scope.yaml": "families: {consumer_credit: [credit]}\n",
            "thresholds/fairness.yaml": """\
demographic_parity_difference:
  # The board's resolution.
  models: {credit: 0.03, "a|b": 0.02}
  families: {consumer_credit: 0.04}  # by the second line
  environments: {staging: 0.1}
  tiers: {low: 0.06}
  tiers_in_environments: {production: {high: 0.045}}
required_attributes: {default: [sex]}
""",
            "waivers/credit.yaml": """\
- rule: fairness.demographic_parity:sex
  subject: {name: credit, version: "3"}
  reason: One branch was closed
  reference: MRM-120
  approver: rita@bank.example
  effective_on: 2026-11-20
  expires: 2026-12-20T12:30:15Z
- rule: fairness.demographic_parity
  subject: {sha256: %s}
  reason: Known
  reference: MRM-121
  approver: rita@bank.example
  effective_on: 2026-11-20
  expires: 2026-12-20
"""
            % ("ab" * 32),
        },
    )
    docs(organisation)
    text = page(organisation, f"{PAGE}.md")
    assert text.startswith("<!-- Written by `mandate policy docs`: change the policies, not this page. -->\n")
    for part in (
        f'# <a id="{PARITY}"></a>Groups are selected at similar rates',
        "| Severity | high |\n| Actions | promote, deploy |",
        "| Environments | all: `development`, `staging`, `production` |",
        "| Collections | [`fairness`](../../collections.md#fairness) |",
        "[EU AI Act 10(2)(f)](../../controls.md#eu-ai-act-10-2-f)<br>",
        "| Denies from | 2026-01-01 00:00 UTC |\n| Waivable | yes |",
        "It is a number, at least 0, less than 1; a lower one is harder to satisfy.",
        """\
| everything | `0.05` | `thresholds/fairness.yaml:9` |
| risk tier `low` | `0.06` | `organisation/thresholds/fairness.yaml:6` |
| environment `staging` | `0.1` | `organisation/thresholds/fairness.yaml:5` |
| risk tier `high` in `production` | `0.045` | `organisation/thresholds/fairness.yaml:7` |
| family of models `consumer_credit` | `0.04` | `organisation/thresholds/fairness.yaml:4` |
| model <code>a&#124;b</code> | `0.02` | `organisation/thresholds/fairness.yaml:3` |
| model `credit` | `0.03` | `organisation/thresholds/fairness.yaml:3` |

- family of models `consumer_credit`: by the second line
- model <code>a&#124;b</code>, model `credit`: The board's resolution.
""",
        'Attributes (columns, or columns joined by " × ")',  # so says the library
        "| everything | `sex` | `organisation/thresholds/fairness.yaml:8` |",
        "- **`credit` version `3`**, term `sex`: One branch was closed<br>From 2026-11-20 00:00 UTC until "
        "2026-12-20 12:30:15 UTC, approved by rita@bank.example, recorded as MRM-120, set at "
        "`organisation/waivers/credit.yaml:1`",
        f"- **the artifact `{'ab' * 32}`**: Known",
        "package mandate.rules.fairness.demographic_parity",
    ):
        assert part in text
    others = page(organisation, "rules/registry/digest.md")
    assert "It cannot be waived." in others
    assert "## Waivers" not in others
    assert "The rule reads no threshold" in others
    assert "`30` days" in page(organisation, "rules/provenance/data_age.md")


def test_controls_have_the_rules_whose_evidence_supports_them(organisation: Organisation) -> None:
    docs(organisation)
    text = page(organisation, "controls.md")
    assert (
        '| <a id="eu-ai-act-10-2-f"></a>10(2)(f) | '
        f"[`{PARITY}`]({PAGE}.md#{PARITY}) Groups are selected at similar rates<br>"
    ) in text
    assert text.index("\n## EU AI Act\n") < text.index("</a>9(8)") < text.index("</a>10(2)(b)")
    for path in files(organisation):
        assert not re.search(r"complian(?:t|ce)", page(organisation, path)), path


def test_collections_say_which_rules_judge_which_models(organisation: Organisation) -> None:
    docs(organisation)
    text = page(organisation, "collections.md")
    assert "| everything | <code>&#42;</code> |" in text or "| everything | `*` |" in text
    assert "| risk tier `low` | `@essential` | `selection.yaml:" in text
    assert '## <a id="essential"></a>`essential`' in text


def test_thresholds_that_all_rules_share_name_the_rego_that_reads_them(organisation: Organisation) -> None:
    docs(organisation)
    text = page(organisation, "thresholds.md")
    assert '### <a id="evidence.accepted_origins"></a>`evidence.accepted_origins`' in text
    assert re.search(r"\nRead by `mandate/lib/\w+/\w+\.rego:[0-9]+`\.\n", text)


def test_a_rule_that_is_replaced_says_so_and_why(organisation: Organisation) -> None:
    rule = (share.policies() / "mandate" / f"{PAGE}/demographic_parity.rego").read_text()
    replacing = rule.replace("package mandate.rules.fairness.", "package mandate.rules.bank.").replace(
        "#   waivable: true\n",
        f"#   waivable: true\n#   replaces: {{rule: {PARITY}, reason: Ours counts differently}}\n"
        "#   environments: [production]\n",
    )
    write(organisation, {"mandate/rules/bank/demographic_parity/rule.rego": replacing})
    docs(organisation)
    ours = page(organisation, "rules/bank/demographic_parity.md")
    assert f"| Replaces | [`{PARITY}`](../../{PAGE}.md#{PARITY}): Ours counts differently |" in ours
    assert "| Environments | `production` |" in ours
    theirs = page(organisation, f"{PAGE}.md")
    assert "| Replaced by | [`bank.demographic_parity`]" in theirs
    assert re.search(
        r"\nWhere \[`bank\.demographic_parity`\]\(\S+\) judges, once it denies, this rule judges noth", theirs
    )


def hostile(organisation: Organisation) -> None:
    quoted = {"text": json.dumps(HOSTILE), "blocks": json.dumps(BLOCKS)}
    write(
        organisation,
        {
            "mandate/rules/hostile/rule/rule.rego": RULE.format(**quoted),
            "mandate/rules/hostile/rule/<img src=x onerror=alert(1)>.rego": (
                "package mandate.rules.hostile.rule\n"
            ),
            "thresholds/hostile.yaml": f"""\
limits:
  # {HOSTILE}
  {quoted["text"]}:
    default: {quoted["text"]}
    models:
      # {HOSTILE} too
      {quoted["text"]}: {quoted["text"]}
""",
            "waivers/hostile.yaml": f"""\
- rule: {json.dumps("hostile.rule:" + HOSTILE)}
  subject: {{name: {quoted["text"]}, version: {quoted["text"]}}}
  reason: {quoted["blocks"]}
  reference: {quoted["text"]}
  approver: {quoted["text"]}
  effective_on: 2026-11-20
  expires: 2026-12-20
""",
        },
    )


def test_hostile_texts_stay_texts_in_markdown(organisation: Organisation) -> None:
    hostile(organisation)
    docs(organisation)
    rendered = markdown(organisation.folder / "docs")
    assert links_to_nothing(rendered) == []
    known = {
        "p",
        "h1",
        "h2",
        "h3",
        "a",
        "br",
        "code",
        "pre",
        "ul",
        "li",
        "em",
        "strong",
        "details",
        "summary",
    }
    known |= {"table", "thead", "tbody", "tr", "th", "td"}
    for path, found in rendered.items():
        assert {tag.name for tag in found.find_all(True)} <= known, path
        assert {name for tag in found.find_all(True) for name in tag.attrs} <= {"id", "href", "class"}, path
        assert "\u202e" not in page(organisation, path)
        assert "\x1b" not in page(organisation, path)
    own = rendered["rules/hostile/rule.md"]
    assert own.h1 is not None
    assert own.h1.get_text() == HOSTILE.replace("`c\\|<i>d</i>`", "c\\|<i>d</i>").replace(
        "`/etc/passwd`", "/etc/passwd"
    )
    headings = [heading.get_text() for heading in own.find_all("h2")]
    assert headings == ["What makes it pass", "If it does not pass", "Waivers", "Source"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of an organisation with a hostile rule."""
    organisation = founded(tmp_path_factory.mktemp("site"))
    hostile(organisation)
    written = docs(organisation, "--site")
    assert written["start"] == "docs/index.html"
    return organisation.folder / "docs"


def test_the_site_has_a_page_for_each_rule_whose_id_is_the_anchor(site: Path) -> None:
    pages = html(site)
    for rule in (*rules(), "hostile.rule"):
        section = pages[f"rules/{rule.replace('.', '/')}.html"].find("section", id=rule)
        assert section is not None
        assert section.find("h1") is not None
    assert pages["controls.html"].find(id="eu-ai-act-10-2-f")
    assert links_to_nothing(pages) == []


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    for path, found in html(site).items():
        loaded = [
            *(str(tag["href"]) for tag in found.find_all("link")),
            *attributes(found, "src"),
            *attributes(found, "srcset"),
            *attributes(found, "data"),
        ]
        assert [address for address in loaded if re.match(r"(?:[a-z]+:)?//", address)] == [], path
        for address in set(loaded) - {"#"}:
            assert ((site / path).parent / address.partition("?")[0]).resolve().is_file(), (path, address)
    for style in site.rglob("*.css"):
        assert re.findall(r"""(?:url\(\s*|@import\s*)["']?(?:https?:)?//""", style.read_text()) == [], style


def test_hostile_texts_stay_texts_on_the_site(site: Path) -> None:
    pages = html(site)
    own, clean = pages["rules/hostile/rule.html"], pages["rules/registry/digest.html"]

    def scripts(found: Any) -> list[str]:
        return [str(tag).strip() for tag in found.find_all("script")]

    assert scripts(own) == scripts(clean)
    for found in pages.values():
        assert [tag for tag in found.find_all(True) if any(name.startswith("on") for name in tag.attrs)] == []
        elsewhere = {to for to in attributes(found, "href") if re.match(r"[a-z]+:|//", to)}
        assert elsewhere <= {"https://github.com/pradyunsg/furo"}
        assert found.find("img") is None
        assert "root:x:0" not in found.get_text()
    assert own.title is not None
    assert "<script>alert(1)</script>" in own.title.get_text()


def test_the_search_knows_rules_by_id_and_by_what_they_say(site: Path) -> None:
    written = (site / "searchindex.js").read_text()
    found = json.loads(written.removeprefix("Search.setIndex(").removesuffix(")"))
    at = found["docnames"].index(PAGE)
    assert found["titles"][at] == "Groups are selected at similar rates"
    assert at in found["terms"]["fairlearn"]
    ids = {f"{prefix}.{entry[4]}" for prefix, entries in found["objects"].items() for entry in entries}
    assert ids == {*rules(), "hostile.rule"}
    search = parsed((site / "search.html").read_text())
    assert {"searchindex.js", "_static/searchtools.js"} <= {
        address.partition("?")[0] for address in attributes(search, "src")
    }


def test_the_same_policies_give_the_same_site(organisation: Organisation) -> None:
    docs(organisation, "--site")
    assert docs(organisation, "--site")["changed"] == []


def test_a_page_that_sphinx_cannot_take_is_an_error() -> None:
    with pytest.raises(BadPolicy, match=r"index\.md:3: WARNING: .*nowhere"):
        policy_site.build({"index.md": "# Policies\n\n[x](index.md#nowhere)\n"})


def test_without_sphinx_the_command_says_how_to_get_it(organisation: Organisation) -> None:
    code = (
        "import sys; sys.modules['furo'] = None; from mandate.engine import cli; "
        "sys.exit(cli.run(['policy', 'docs', '--site']))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=organisation.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "pip install 'mandate[docs]'" in " ".join(ran.stderr.split())
    assert not (organisation.folder / "policy-site").exists()


def test_what_is_gone_is_removed_and_what_others_wrote_stays(organisation: Organisation) -> None:
    rule = (share.policies() / "mandate" / f"{PAGE}/demographic_parity.rego").read_text()
    for name in ("one", "two", "three"):
        content = re.sub(r"(?m)^package .*", f"package mandate.rules.bank_{name}.parity", rule)
        write(organisation, {f"mandate/rules/bank_{name}/parity/parity.rego": content})
    docs(organisation)
    folder = organisation.folder / "docs"
    (folder / "notes.md").write_text("ours")
    (folder / "rules/bank_two/notes.md").write_text("ours")
    (folder / "rules/bank_three/parity.md").write_text("changed by hand")
    for name in ("one", "two", "three"):
        (organisation.folder / f"policies/mandate/rules/bank_{name}/parity/parity.rego").unlink()
    shown = organisation.mandate("policy", "docs", "--to", "docs")
    assert shown.exit_code == 0
    assert "removed rules/bank_one/parity.md\n" in shown.out
    assert "removed rules/bank_two/parity.md\n" in shown.out
    assert "kept rules/bank_three/parity.md: somebody changed it; remove it by hand\n" in shown.out
    assert "of 20 files changed in docs. Begin with docs/index.md\n" in shown.out
    assert not (folder / "rules/bank_one").exists()
    assert sorted(file.name for file in (folder / "rules/bank_two").iterdir()) == ["notes.md"]
    assert (folder / "notes.md").read_text() == "ours"
    assert (folder / "rules/bank_three/parity.md").read_text() == "changed by hand"


def test_a_page_that_is_missing_already_is_no_reason_to_stop(organisation: Organisation) -> None:
    docs(organisation)
    manifest = organisation.folder / "docs/.mandate-docs.json"
    listed = json.loads(manifest.read_text())
    listed["files"]["rules/gone.md"] = "0" * 64
    manifest.write_text(json.dumps(listed))
    assert docs(organisation)["removed"] == ["rules/gone.md"]


def refused(organisation: Organisation, what: str) -> None:
    """The command ends with 2, and nothing in the folder is another than before."""
    before = files(organisation)
    shown = organisation.mandate("policy", "docs", "--to", "docs")
    assert shown.exit_code == 2
    assert what in " ".join(shown.err.split())
    assert files(organisation) == before


def test_a_file_of_somebody_else_is_not_overwritten(organisation: Organisation) -> None:
    folder = organisation.folder / "docs"
    folder.mkdir()
    (folder / "index.md").write_text("ours")
    refused(organisation, "docs/index.md: this is not one of the pages that were written here")
    assert [file.name for file in folder.iterdir()] == ["index.md"]


def test_nothing_is_written_through_a_link(organisation: Organisation) -> None:
    elsewhere = organisation.folder / "elsewhere"
    elsewhere.mkdir()
    (organisation.folder / "docs").mkdir()
    (organisation.folder / "docs/rules").symlink_to(elsewhere)
    refused(organisation, "docs/rules: a file or link is in the way of the pages")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"files": []}',
        '{"files": {"../mandate.yaml": "%s"}}',
        '{"files": {"/etc/x": "%s"}}',
        '{"files": {"a": "x"}}',
        '{"files": {"": "%s"}}',
        '{"files": {"a//b": "%s"}}',
    ],
)
def test_a_list_that_names_what_was_not_written_here_is_refused(
    organisation: Organisation, content: str
) -> None:
    (organisation.folder / "docs").mkdir()
    (organisation.folder / "docs/.mandate-docs.json").write_text(content.replace("%s", "0" * 64))
    refused(organisation, "the list of what was written here cannot be read")
    assert (organisation.folder / "mandate.yaml").is_file()


def test_a_file_in_the_place_of_a_folder_is_refused(organisation: Organisation) -> None:
    (organisation.folder / "docs").mkdir()
    (organisation.folder / "docs/rules").write_text("ours")
    refused(organisation, "docs/rules: a file or link is in the way of the pages")


def test_a_folder_in_the_place_of_a_page_is_named(organisation: Organisation) -> None:
    docs(organisation)
    (organisation.folder / "docs/index.md").unlink()
    (organisation.folder / "docs/index.md").mkdir()
    refused(organisation, "docs/index.md: this is not one of the pages that were written here")


@pytest.mark.parametrize(
    ("documentation", "address"),
    [
        ("https://policies.bank.example", "https://policies.bank.example"),
        ("https://bank.example/policies/", "https://bank.example/policies"),
        ("policy-site", "file://{folder}/policy-site"),
    ],
)
def test_a_finding_links_to_the_page_of_its_rule(
    organisation: Organisation, documentation: str, address: str
) -> None:
    page_of = address.format(folder=organisation.folder.resolve()) + "/rules/{0}.html#{1}"
    setting = ("--set", f"documentation={documentation}")
    decision = organisation.check(with_value(GOOD, METRIC, 0.9), *setting).json
    assert {finding["rule"]: finding["documentation"] for finding in decision["findings"]} == {
        finding["rule"]: page_of.format(finding["rule"].replace(".", "/"), finding["rule"])
        for finding in decision["findings"]
    }
    shown = organisation.mandate("explain", decision["id"], *setting)
    assert page_of.format("fairness/demographic_parity", PARITY) in "".join(
        line.strip() for line in shown.out.splitlines()
    )


def test_no_link_is_part_of_what_is_recorded(organisation: Organisation) -> None:
    denied = with_value(GOOD, METRIC, 0.9)
    linked = organisation.check(denied, "--set", "documentation=https://policies.bank.example").json
    plain = organisation.mandate("explain", linked["id"], "--output", "json").json
    assert [finding for finding in plain["findings"] if "documentation" in finding] == []
    assert "policies.bank.example" not in json.dumps(plain)
    for finding in linked["findings"]:
        del finding["documentation"]
    assert linked["findings"] == plain["findings"]


@pytest.mark.parametrize(
    "documentation", ["javascript:alert(1)", "ftp://bank.example", "https://a/?b", "", "a#b"]
)
def test_an_address_that_no_report_can_link_to_is_refused(
    organisation: Organisation, documentation: str
) -> None:
    shown = organisation.mandate("explain", "0", "--set", f"documentation={documentation}")
    assert shown.exit_code == 2
    assert "documentation:" in shown.err
