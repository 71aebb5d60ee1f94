"""A store in a bucket of S3, written with boto3 and the credentials of the AWS profile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from training import aws_profile
from weir.catalog.store_failures import unavailable
from weir.catalog.store_urls import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        LambdaFunctionConfigurationOutputTypeDef,
        QueueConfigurationOutputTypeDef,
        TopicConfigurationOutputTypeDef,
    )

    _Notification = (
        QueueConfigurationOutputTypeDef | TopicConfigurationOutputTypeDef | LambdaFunctionConfigurationOutputTypeDef
    )

_RACE_LOST = {"PreconditionFailed", "ConditionalRequestConflict"}
_NOT_TOLD = {"AccessDenied", "NotImplemented", "MethodNotAllowed", "XNotImplemented"}
"""codes of a store that does not say whom it notifies"""


class S3Store:
    """Objects below a prefix of one bucket."""

    def __init__(self, url: str, bucket: Bucket, endpoint: str) -> None:
        """Name a bucket; nothing is read yet. Raises what `aws_profile.explained` raises."""
        self.url = url
        self._bucket, self._prefix = bucket.name, f"{bucket.prefix}/" if bucket.prefix else ""
        with aws_profile.explained():
            self._s3: S3Client = boto3.client("s3", endpoint_url=endpoint or None)
            if boto3.DEFAULT_SESSION:  # the one that made the client
                aws_profile.usable(boto3.DEFAULT_SESSION.get_credentials())

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Read one object and its ETag; return None when there is no such object."""
        with self._translated():
            try:
                response = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._s3.exceptions.NoSuchKey:
                return None
            return response["Body"].read(), response["ETag"]

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that does not exist yet; return False when it does."""
        with self._translated():
            try:
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*")
            except ClientError as exc:
                return _race_lost(exc)
            return True

    def put(self, key: str, data: bytes) -> None:
        """Write one object whole, replacing any that is there."""
        with self._translated():
            self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Replace an object that still has this ETag; return False when it has another."""
        with self._translated():
            try:
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfMatch=tag)
            except ClientError as exc:
                return _race_lost(exc)
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
            return [entry["Key"].removeprefix(self._prefix) for page in pages for entry in page.get("Contents", [])]

    def notifies(self, key: str) -> bool:
        """Tell whether the bucket notifies anyone of a new object.

        A bucket that does not tell, as without the permission `s3:GetBucketNotification`, is taken for one that
        notifies of what lies at its root, as the bucket of Weir's stack does.
        """
        with self._translated():
            try:
                told = self._s3.get_bucket_notification_configuration(Bucket=self._bucket)
            except ClientError as exc:
                if exc.response.get("Error", {}).get("Code") not in _NOT_TOLD:
                    raise
                return not self._prefix
        rules = [
            *told.get("QueueConfigurations", []),
            *told.get("TopicConfigurations", []),
            *told.get("LambdaFunctionConfigurations", []),
        ]
        return "EventBridgeConfiguration" in told or any(_applies(rule, self._prefix + key) for rule in rules)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as exc:
            raise unavailable(self.url, exc) from exc


def _applies(rule: "_Notification", key: str) -> bool:
    """Tell whether a notification of a bucket is sent for a new object with this key."""
    limits = {
        limit["Name"].lower(): limit["Value"] for limit in rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    }
    return (
        any(event.startswith("s3:ObjectCreated:") for event in rule["Events"])
        and key.startswith(limits.get("prefix", ""))
        and key.endswith(limits.get("suffix", ""))
    )


def _race_lost(exc: ClientError) -> bool:
    """Return False when another writer was first; raise any other error again."""
    if exc.response["Error"].get("Code") not in _RACE_LOST:
        raise exc
    return False
