"""The files that a path names: on this machine or in S3, one, several by a pattern, or a folder."""

import fnmatch
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from training import aws_profile
from training.data import unnamed_file
from weir.catalog.store_failures import unavailable
from weir.errors import BadInput

S3 = "s3://"
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Found:
    """Files on this machine, or one folder."""

    paths: tuple[Path, ...] = ()
    folder: Path | None = None


@contextmanager
def found(path: str) -> Iterator[Found]:
    """Find what a path names; objects of S3 are copied to a folder that is removed afterwards.

    Raises:
        BadInput: there is no such file, folder or object.
        StoreUnavailable: S3 or the AWS profile refuses.
    """
    if not path.startswith(S3):
        yield _local(path)
        return
    bucket, _, key = path.removeprefix(S3).partition("/")
    with tempfile.TemporaryDirectory(prefix="weir-data-", dir=unnamed_file.folder()) as folder:
        _download(path, bucket, key, Path(folder))
        yield _local(str(Path(folder) / key)) if not _PATTERN.search(key) else Found(_files(Path(folder)))


def _local(path: str) -> Found:
    here = Path(path).expanduser()
    try:
        if here.is_dir():
            return Found(folder=here)
        if here.exists():
            return Found((here,))
        paths = _by_pattern(here) if _PATTERN.search(path) else ()
    except (OSError, ValueError) as exc:
        raise BadInput("data.path names files that can be read", exc) from exc
    if not paths:
        raise BadInput("data.path names files, or a folder, that exist", path)
    return Found(paths)


def _by_pattern(pattern: Path) -> tuple[Path, ...]:
    """List the files of a pattern, whose first part without one is a folder."""
    parts = pattern.parts
    fixed = next(number for number, part in enumerate(parts) if _PATTERN.search(part))
    start = Path(*parts[:fixed]) if fixed else Path()
    return tuple(sorted(path for path in start.glob(str(Path(*parts[fixed:]))) if path.is_file()))


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def _download(url: str, bucket: str, key: str, folder: Path) -> None:
    """Copy the objects that a key names: this one, those of a pattern, or all below a prefix."""
    with aws_profile.explained():
        s3 = boto3.client("s3")
    prefix = _PATTERN.split(key)[0]
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        wanted = [one for one in keys if _is_wanted(one, key)]
        for one in wanted:
            target = (folder / one).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise BadInput("keys of S3 stay below their bucket", one)
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, one, str(target))
    except (BotoCoreError, ClientError) as exc:
        raise unavailable(url, exc) from exc
    if not wanted:
        raise BadInput("data.path names objects that exist", url)


def _is_wanted(one: str, key: str) -> bool:
    if one.endswith("/"):
        return False
    if _PATTERN.search(key):
        return fnmatch.fnmatchcase(one, key)
    return one == key or not key or one.startswith(f"{key.rstrip('/')}/")
