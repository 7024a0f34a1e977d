"""Whether a reference says exactly what will be fetched: only if it carries a digest."""

from __future__ import annotations

import re

from .governed import Pull

_DIGEST = r"[0-9a-f]{64}"
_PINNED_IMAGE = re.compile(rf"[^@\s]+@sha256:({_DIGEST})")
_SEGMENT = re.compile(rf"(?:sha256[:-])?({_DIGEST})")
_OCI = "oci://"
_ELSEWHERE = re.compile(r"\$\(|[?#%\\]|(?:^|/)\.{1,2}(?:/|$)")
"""What makes the files of a location others than those below the segment with the digest: variables, queries,
fragments, escapes, and the way up."""


def image(reference: object, path: str) -> Pull:
    """A container image, or an image that is mounted as a volume."""
    if not isinstance(reference, str) or not reference:
        return Pull(path, "", None, is_model=False, fault=f"{path} is no image's name")
    if (pinned := _PINNED_IMAGE.fullmatch(reference)) is not None:
        return Pull(path, reference, pinned[1], is_model=False)
    fault = f"{path} is {reference!a}: a tag can name another image tomorrow; name it by @sha256:…"
    return Pull(path, reference, None, is_model=False, fault=fault)


def location(reference: object, path: str) -> Pull:
    """Where a model's files lie: `oci://…@sha256:…`, or a path with the digest as one of its segments."""
    if not isinstance(reference, str) or not reference:
        return Pull(path, "", None, is_model=True, fault=f"{path} is no location that can be read")
    if reference.startswith(_OCI):
        pinned = _PINNED_IMAGE.fullmatch(reference.removeprefix(_OCI))
        digests = [] if pinned is None else [pinned[1]]
    else:
        parts = reference.split("/")
        digests = [found[1] for found in map(_SEGMENT.fullmatch, parts) if found is not None]
    if len(digests) != 1:
        fault = (
            f"{path} is {reference!a}: a bare location can hold other files tomorrow; "
            "name one with the digest in it (oci://…@sha256:…, or …/sha256-…/…)"
        )
        return Pull(path, reference, None, is_model=True, fault=fault)
    if _ELSEWHERE.search(reference) or not reference.isprintable():
        fault = (
            f"{path} is {reference!a}: it has the digest in it and can lead elsewhere; "
            "write a plain path, without .., ?, #, %, \\ and variables"
        )
        return Pull(path, reference, None, is_model=True, fault=fault)
    return Pull(path, reference, digests[0], is_model=True)
