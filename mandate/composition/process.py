"""What this process knows without being told: who runs it, and the time."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime


def caller() -> str:
    """Who runs this process, as the system knows it: environment variables are anybody's to set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def now() -> datetime:
    """The clock, in UTC."""
    return datetime.now(UTC)
