"""An export in a bucket of Amazon S3, or of another store that speaks its protocol.

What is added is locked (S3 Object Lock in compliance mode): until its date nobody can change or remove it,
not even the account's owner. A bucket without object lock is refused.

A locked object can still be hidden: S3 lets anybody with the right to write put a newer version, or a marker
that it was removed, on top. So of each object the *first* version is read, which is the one that is locked.
`checkpoint`, of which the newest counts, is for others to read; nothing here reads it.

boto3 and not a smaller client: it is S3's own, it has conditional writes and object lock, and it finds
credentials wherever they are kept (environment, files, the machine's role, single sign-on). One that does
less would save 15 MB of disk, and nothing that anybody waits for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ...errors import BadConfiguration, BadInput, BadRequest, MandateError, NotRecorded
from . import layout

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_SETTINGS = frozenset({"endpoint", "region"})
_MODE = "COMPLIANCE"
_TIMEOUT_SECONDS = 20
_TRIES = 4
_ADVICE = "Name it as s3://BUCKET/PREFIX, or s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION"
_CREDENTIALS = "Give credentials as the AWS tools take them, such as AWS_ACCESS_KEY_ID, or a profile"


@dataclass(frozen=True, slots=True)
class Address:
    """Which objects of which store."""

    bucket: str
    prefix: str
    """Ends with a slash, or is empty."""
    endpoint: str | None = None
    """`None` for Amazon's own."""
    region: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address in `s3://…`. `BadConfiguration` if it is none."""
        try:
            parts = urlsplit(url)
            settings = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        except ValueError as error:
            raise BadConfiguration("this is no address of a bucket", where=url, next_step=_ADVICE) from error
        prefix = parts.path.strip("/")
        if (
            not parts.netloc
            or parts.fragment
            or "@" in parts.netloc
            or not settings.keys() <= _SETTINGS
            or (prefix and not layout.is_name(prefix))
        ):
            raise BadConfiguration("this is no address of a bucket", where=url, next_step=_ADVICE)
        return cls(
            parts.netloc, f"{prefix}/" if prefix else "", settings.get("endpoint"), settings.get("region")
        )

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


class Bucket:
    """A `Source` in a bucket: of each object its first version."""

    def __init__(self, client: Any, address: Address) -> None:
        self._client = client
        self._address = address

    @classmethod
    def of(cls, url: str) -> Bucket:
        """The bucket at `s3://…`. `BadConfiguration` if it cannot be one."""
        address = Address.parse(url)
        return cls(_client(address), address)

    @property
    def location(self) -> str:
        """Its address, without the store's."""
        return str(self._address)

    def names(self) -> Collection[str]:
        """The objects below the prefix."""
        return self._versions.keys()

    def read(self, name: str) -> bytes:
        """The first version of the object."""
        version = self._versions.get(name) or self._first_version(name)
        if version is None:
            raise BadInput(f"{name} is not there", where=self.location)
        with self._translated(name):
            found = self._client.get_object(
                Bucket=self._address.bucket, Key=self._address.prefix + name, VersionId=version
            )
            if found["ContentLength"] > layout.MAX_BYTES:
                raise BadInput(f"{name} is longer than a file of an export can be", where=self.location)
            content: bytes = found["Body"].read()
        return content

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @cached_property
    def _versions(self) -> dict[str, str]:
        """The id of each object's first version, as it was when somebody asked first."""
        versions = {}
        with self._translated(""):
            for page in self._pages(self._address.prefix):
                for listed in page.get("Versions", ()):
                    name = listed["Key"].removeprefix(self._address.prefix)
                    if layout.is_name(name):
                        versions[name] = listed["VersionId"]  # they are listed from the newest to the first
        return versions

    def _first_version(self, name: str) -> str | None:
        key, first = self._address.prefix + name, None
        with self._translated(name):
            for page in self._pages(key):
                for listed in page.get("Versions", ()):
                    if listed["Key"] == key:
                        first = listed["VersionId"]
        return first

    def _pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages: Iterator[dict[str, Any]] = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._address.bucket, Prefix=prefix
        )
        return pages

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            PartialCredentialsError,
        )

        about = f"{name}: " if name else ""
        try:
            yield
        except ClientError as error:
            raise self._refused(about, error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise BadConfiguration(
                "there are no credentials for the store", where=self.location, next_step=_CREDENTIALS
            ) from error
        except BotoCoreError as error:
            raise NotRecorded(
                f"{about}the store cannot be reached, or went away ({_one_line(error)})",
                where=self.location,
                next_step="Check the endpoint and the network, then ask again: it goes on from there",
            ) from error

    def _refused(self, about: str, error: ClientError) -> MandateError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        said = f" ({_one_line(error)})"
        for codes, kind, meaning, next_step in _MEANINGS:
            if code in codes:
                return kind(f"{about}{meaning}{said}", where=self.location, next_step=next_step)
        return NotRecorded(
            f"{about}the store refuses it{said}",
            where=self.location,
            next_step="Ask whoever runs the store, then ask again: it goes on from there",
        )


class Locked(Bucket):
    """A `Destination` in a bucket with object lock."""

    def __init__(self, client: Any, address: Address, until: datetime) -> None:
        super().__init__(client, address)
        self._until = until
        with self._translated(""):
            found = client.get_object_lock_configuration(Bucket=address.bucket)
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise self._unlocked()

    @classmethod
    def to(cls, url: str, until: datetime | None) -> Locked:
        """The bucket at `s3://…`, where what is added is locked until then.

        `BadConfiguration` if it has no object lock, `BadRequest` for a time that is missing or past.
        """
        address = Address.parse(url)
        if until is None:
            raise BadRequest(
                "until when what is exported must not be removed, nobody said",
                where=str(address),
                next_step="Give --retain-days or --retain-until",
            )
        if until <= datetime.now(UTC):
            raise BadRequest(
                f"{until.isoformat(timespec='seconds')} is past",
                where="--retain-until",
                next_step="Name a day to come",
            )
        return cls(_client(address), address, until)

    def add(self, name: str, content: bytes) -> bool:
        """Put a new object, if there is none of its name."""
        from botocore.exceptions import ClientError

        if name in self._versions:
            return False
        with self._translated(name):
            try:
                self._put(name, content, IfNoneMatch="*")
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise
                return False
        return True

    def point(self, name: str, content: bytes) -> None:
        """Put a newer version; those before stay."""
        with self._translated(name):
            if self._newest(name) != content:
                self._put(name, content)

    def _newest(self, name: str) -> bytes | None:
        from botocore.exceptions import ClientError

        try:
            found = self._client.get_object(Bucket=self._address.bucket, Key=self._address.prefix + name)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchKey":
                raise
            return None
        newest: bytes = found["Body"].read(layout.MAX_BYTES)
        return newest

    def sync(self) -> None:
        """What the store acknowledged, it has."""

    def finish(self) -> None:
        """Ask the store whether it locked what it was told to lock: one that cannot says nothing."""
        newest = layout.newest_snapshot(self.names())
        if newest is None:
            return
        name = layout.snapshot(newest)
        with self._translated(name):
            found = self._client.head_object(
                Bucket=self._address.bucket, Key=self._address.prefix + name, VersionId=self._versions[name]
            )
        if found.get("ObjectLockMode") != _MODE:
            raise self._unlocked()

    def _put(self, name: str, content: bytes, **condition: str) -> None:
        put = self._client.put_object(
            Bucket=self._address.bucket,
            Key=self._address.prefix + name,
            Body=content,
            ChecksumAlgorithm="SHA256",
            ObjectLockMode=_MODE,
            ObjectLockRetainUntilDate=self._until,
            **condition,
        )
        if name != layout.CHECKPOINT:
            self._versions[name] = put["VersionId"]

    def _unlocked(self) -> BadConfiguration:
        return BadConfiguration(
            "the bucket has no object lock, so anybody could remove what is in it",
            where=self.location,
            next_step="Make a bucket with object lock, which can be enabled only when it is made",
        )


_MEANINGS: tuple[tuple[frozenset[str], type[MandateError], str, str], ...] = (
    (frozenset({"NoSuchBucket"}), BadConfiguration, "there is no such bucket", "Correct the bucket's name"),
    (
        frozenset({"ObjectLockConfigurationNotFoundError", "InvalidRequest", "NotImplemented"}),
        BadConfiguration,
        "the bucket has no object lock",
        "Make a bucket with object lock, which can be enabled only when it is made",
    ),
    (
        # The last one is how Versity's gateway says the first.
        frozenset(
            {
                "InvalidAccessKeyId",
                "SignatureDoesNotMatch",
                "ExpiredToken",
                "InvalidToken",
                "XAdminUserNotFound",
            }
        ),
        BadConfiguration,
        "the store does not know these credentials",
        _CREDENTIALS,
    ),
    (
        frozenset({"AccessDenied", "403"}),
        BadConfiguration,
        "the store does not let these credentials do this",
        "Allow s3:PutObject, s3:PutObjectRetention, s3:GetObjectVersion, s3:ListBucketVersions and "
        "s3:GetBucketObjectLockConfiguration",
    ),
    (frozenset({"NoSuchKey", "NoSuchVersion", "404"}), BadInput, "it is not there", "Export again elsewhere"),
)
"""Error codes of S3, what they mean here, and what to do."""


def _client(address: Address) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise BadConfiguration(
            "what talks to S3 is not installed",
            where=str(address),
            next_step="Run `pip install 'mandate[s3]'`",
        ) from error
    own = address.endpoint is not None
    try:
        return boto3.Session().client(
            "s3",
            endpoint_url=address.endpoint,
            region_name=address.region or ("us-east-1" if own else None),
            config=Config(
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
                # Few stores but Amazon's have a host name for each bucket.
                s3={"addressing_style": "path" if own else "auto"},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise BadConfiguration(
            f"the store cannot be used ({_one_line(error)})", where=str(address), next_step=_ADVICE
        ) from error


def _one_line(error: Exception) -> str:
    return ascii(" ".join(str(error).split()))[1:-1][:300]
