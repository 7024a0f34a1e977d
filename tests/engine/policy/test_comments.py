from __future__ import annotations

from mandate.engine.policy.comments import explaining

LINES = """\
# About the file.

# The largest difference,
# from 0 to 1.
parity:
  default: 0.05
  # The board's resolution.
  models:
    credit: 0.03
    mortgage: 0.02  # by the second line
  tiers: {low: "# 1"}
bare:
  default: 1

# Of the group.
minimum:
  accuracy:
    default: 0.7
""".splitlines()


def row(text: str) -> int:
    return 1 + next(at for at, line in enumerate(LINES) if text in line)


def test_the_nearest_comment_explains_a_value() -> None:
    of_the_setting = "The largest difference,\nfrom 0 to 1."
    assert {text: explaining(LINES, row(text)) for text in ("0.05", "0.03", "0.02", "# 1", "0.7")} == {
        "0.05": of_the_setting,
        "0.03": "The board's resolution.",
        "0.02": "by the second line",
        "# 1": of_the_setting,
        "0.7": "Of the group.",
    }


def test_where_nobody_says_anything_nothing_is_said() -> None:
    assert explaining(LINES, row("default: 1")) == ""
    assert explaining(["# About the file.", "", "a: 1"], 3) == ""
    assert explaining([], 1) == ""
