"""Judging a ready document must not wait for libraries that only collecting needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.organisation import GOOD, founded
from tests.test_architecture import HEAVY


def test_checking_a_ready_document_imports_no_heavy_library(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    code = (
        "import sys\n"
        "from mandate.engine import cli\n"
        "exit_code = cli.run(['check', '--input', 'good.json', '--output', 'json'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], exit_code, file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=organisation.folder, capture_output=True, text=True, check=True
    )
    assert ran.stderr.splitlines()[-1] == "[] 0"
