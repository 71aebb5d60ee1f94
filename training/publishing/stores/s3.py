"""A store that is a bucket, written with boto3 as the person whose AWS profile it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from weir.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOST = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Store:
    """Objects below a prefix of one bucket."""

    def __init__(self, url: str, bucket: str, prefix: str, endpoint: str) -> None:
        """Name a bucket; nothing is read yet. Raises `StoreUnavailable` when the AWS profile is no good."""
        self.url = url
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        with self._translated():
            self._s3: S3Client = boto3.client("s3", endpoint_url=endpoint or None)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Read one object and its ETag; None when there is none."""
        with self._translated():
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._s3.exceptions.NoSuchKey:
                return None
            return found["Body"].read(), found["ETag"]

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that does not exist yet; False when it does."""
        with self._translated():
            try:
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*")
            except ClientError as exc:
                return _lost(exc)
            return True

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, whatever was there."""
        with self._translated():
            self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Replace an object that still has this ETag; False when it has another."""
        with self._translated():
            try:
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfMatch=tag)
            except ClientError as exc:
                return _lost(exc)
            return True

    def delete(self, key: str) -> None:
        """Remove one object, if it is there."""
        with self._translated():
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix that ends with a slash."""
        with self._translated():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            return [found["Key"].removeprefix(self._prefix) for page in pages for found in page.get("Contents", [])]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as exc:
            raise StoreUnavailable(f"the store {self.url} can be read and written", exc) from exc


def _lost(exc: ClientError) -> bool:
    """Tell a lost race from any other refusal, which is raised again."""
    if exc.response["Error"].get("Code") not in _LOST:
        raise exc
    return False
