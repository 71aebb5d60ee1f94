"""weir.catalog.store, over a folder and over an S3 that is reached by HTTP."""

import os
from pathlib import Path

import boto3
import pytest

from training.aws_profile import environment
from training.publishing.stores import open_store
from weir.catalog import store_urls
from weir.catalog.store import Store
from weir.errors import BadInput, BadName, ObjectNotFound, StoreUnavailable


@pytest.fixture(params=["file", "s3", "s3 with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: str, s3_endpoint: str) -> Store:
    """An empty store of each kind."""
    if request.param == "file":
        return Store(tmp_path.as_uri())
    return Store(f"s3://{bucket}{'/a/prefix' if 'prefix' in request.param else ''}", endpoint=s3_endpoint)


@pytest.mark.parametrize(
    "key", ["a", "a/b/c.json", "a b", "ä/ö", "day=1/x", "100%/x", "%2e%2e", "a+b", "#?*[x", "日本"]
)
def test_what_is_put_is_there(store: Store, key: str) -> None:
    """Keys with any printable characters give back the bytes that were put."""
    store.put(key, b"\x00\xff")
    assert store.get(key) == b"\x00\xff"


def test_a_missing_key_is_not_found(store: Store) -> None:
    """The error of a missing key names the store and the key."""
    with pytest.raises(ObjectNotFound, match=r"the key exists in .*Got: models/none"):
        store.get("models/none")


def test_what_is_put_again_is_replaced(store: Store) -> None:
    """A second write replaces the whole object, however long the first was."""
    store.put("a/b", b"long content")
    store.put("a/b", b"short")
    assert store.get("a/b") == b"short"
    assert store.keys("a/") == ["a/b"]


@pytest.mark.parametrize("key", ["../x", "a/../b", "./a", "a//b", "a\nb", "a\x00b"])
def test_keys_that_no_store_can_hold_are_refused(store: Store, key: str) -> None:
    """A key that breaks the rule is a `BadName`; obstore's own error does not escape."""
    with pytest.raises(BadName, match="a key has printable characters"):
        store.get(key)
    with pytest.raises(BadName):
        store.put(key, b"")


def test_a_prefix_keeps_stores_apart(bucket: str, s3_endpoint: str) -> None:
    """What is put below a prefix is there when seen from the bucket's root, and nowhere else."""
    Store(f"s3://{bucket}/a/b/", endpoint=s3_endpoint).put("models/x", b"1")
    root = Store(f"s3://{bucket}", endpoint=s3_endpoint)
    assert root.get("a/b/models/x") == b"1"
    assert root.keys("models/") == []


def test_keys_below_a_prefix_are_listed(store: Store) -> None:
    """A listing has the keys below its prefix, however deep, and no others."""
    for key in ("models/a/1", "models/a/2/3", "models/ab", "x"):
        store.put(key, b"")
    assert sorted(store.keys("models/a/")) == ["models/a/1", "models/a/2/3"]


def test_a_store_that_answers_is_healthy(store: Store) -> None:
    """A store without any object passes the check."""
    store.check()


def test_an_s3_that_does_not_listen_is_unavailable(bucket: str) -> None:
    """Every operation raises `StoreUnavailable`; obstore's own error does not escape."""
    store = Store(f"s3://{bucket}", endpoint="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="the store s3://weir-tests did not answer: connection refused"):
        store.get("a")
    with pytest.raises(StoreUnavailable):
        store.put("a", b"")
    with pytest.raises(StoreUnavailable):
        store.keys("a/")
    with pytest.raises(StoreUnavailable):
        store.check()


def test_a_bucket_that_is_not_there_is_unavailable(bucket: str, s3_endpoint: str) -> None:
    """A missing bucket is a failure of the store, not a missing key."""
    store = Store("s3://no-such-bucket", endpoint=s3_endpoint)
    with pytest.raises(
        StoreUnavailable, match="the store s3://no-such-bucket refused the request: there is no such bucket"
    ):
        store.get("a")
    with pytest.raises(StoreUnavailable):
        store.put("a", b"")
    with pytest.raises(StoreUnavailable):
        store.check()


@pytest.mark.parametrize(
    "url", ["", "s3://", "http://x", "/tmp", "file://host/tmp", "gs://bucket/a", "s3:bucket", "s3://[a", "file:///a%00"]
)
def test_urls_that_name_no_store_are_refused(url: str) -> None:
    """The error states both forms of a store's URL."""
    with pytest.raises(BadInput, match="a store is s3://"):
        Store(url)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("s3://BAD_bucket!", "a bucket's name has up to 255 of A-Z, a-z, 0-9"),
        ("s3://..", "a bucket's name"),
        ("s3://bücket", "a bucket's name"),
        (f"s3://{'b' * 256}", "a bucket's name"),
        ("s3://bucket:9000", "a bucket's name"),
        ("s3://user:password@bucket", "a bucket's name"),
        ("s3://b/x?y", "without '?' and '#'"),
        ("s3://b?", "without '?' and '#'"),
        ("s3://b/x#y", "without '?' and '#'"),
        ("file:///tmp/x?y", "without '?' and '#'"),
        ("s3://b/../x", "a prefix has no empty, '.' or '..' part"),
        ("s3://b/x/..", "a prefix has no empty, '.' or '..' part"),
        ("s3://b/./x", "a prefix has no empty, '.' or '..' part"),
        ("s3://b//x", "a prefix has no empty, '.' or '..' part"),
        ("s3://b/x//y", "a prefix has no empty, '.' or '..' part"),
        ("s3://b/x//", "a prefix has no empty, '.' or '..' part"),
        ("s3://b/x\ny", "of printable characters"),
        ("file:///tmp/x\ny", "of printable characters"),
    ],
)
def test_a_part_of_a_stores_url_that_breaks_its_rule_is_named(url: str, rule: str) -> None:
    """Reading and writing refuse it alike, in one line without a password, before either library sees it."""
    for opened in (Store, open_store):
        with pytest.raises(BadInput, match="a store is s3://") as raised:
            opened(url)
        assert rule in str(raised.value)
        assert "password" not in str(raised.value)
        assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("url", "name", "prefix"),
    [
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://Old_Bucket.1/a/b/", "Old_Bucket.1", "a/b"),
        ("s3://b/.a/..b/c d/...", "b", ".a/..b/c d/..."),
    ],
)
def test_buckets_and_prefixes_are_read(url: str, name: str, prefix: str) -> None:
    """Old bucket names pass, and so do prefixes with dots that are no part of their own."""
    assert store_urls.parse(url) == (name, prefix)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A folder that does not exist is bad input, before anything is read."""
    with pytest.raises(BadInput, match="the folder exists"):
        Store((tmp_path / "none").as_uri())


def test_percent_signs_in_a_folders_url_are_decoded(tmp_path: Path) -> None:
    """A folder's URL may have percent signs, as `Path.as_uri` writes them."""
    folder = tmp_path / "a b"
    folder.mkdir()
    Store(folder.as_uri()).put("x", b"1")
    assert (folder / "x").read_bytes() == b"1"


@pytest.mark.parametrize(
    "endpoint",
    [
        "localhost:9000",
        "ftp://host",
        "http://",
        "http://[a",
        "http://host:99999",
        "http://x y",
        "http://é",
        "http://x\ny",
        "http://a..b",
        "http://a|b",
        "http://a%20b",
        "http://[1:2]",
        "http://[v1.a]",
        "http://[fe80::1%25eth0]",
        "http://300.1.1.1",
        "http://1.2.3",
        "http://127.0.0.0x1",
        "http://xn--a",
        "http://host/?x",
        "http://host?",
        "http://host/a#b",
    ],
)
def test_endpoints_that_are_no_urls_are_refused(endpoint: str) -> None:
    """The endpoint is checked before obstore panics over it, or boto3 raises an error of its own."""
    with pytest.raises(BadInput, match="a store's endpoint is an http:// or https:// URL"):
        Store("s3://bucket", endpoint=endpoint)
    with pytest.raises(BadInput, match="a store's endpoint is an http:// or https:// URL"):
        open_store("s3://bucket", endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://minio_1:9000",
        "https://s3.example.org./a/b",
        "http://u:p@127.0.0.1:9",
        "http://[::1]:9000",
        "http://xn--ls8h.la",
        "HTTP://h",
    ],
)
def test_endpoints_are_kept_as_they_are(endpoint: str) -> None:
    """The names and addresses that containers and hosts have are endpoints."""
    assert store_urls.endpoint(endpoint) == endpoint


def test_what_only_boto3_refuses_in_an_endpoint_is_bad_input() -> None:
    """A name with an underscore serves the functions, and the commands explain that boto3 refuses it."""
    with pytest.raises(BadInput, match=r"is one that boto3 takes\. Got: http://minio_1:9000"):
        open_store("s3://b", "http://minio_1:9000")


_CONFIGURED = {
    "[profile endpoint]": "endpoint_url = {url}",
    "[profile service]": "services = local\n[services local]\ns3 =\n  endpoint_url = {url}",
}
"""the ways in which AWS's file of profiles names an endpoint"""


@pytest.fixture(params=["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", *_CONFIGURED])
def configured(
    request: pytest.FixtureRequest, bucket: str, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A bucket whose endpoint only AWS's own variables or file of profiles name."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # a command changes it
    where = str(request.param)
    if where in _CONFIGURED:
        file = tmp_path / "config"
        file.write_text(f"{where}\n{_CONFIGURED[where].format(url=s3_endpoint)}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
        monkeypatch.setenv("AWS_PROFILE", where.strip("[]").removeprefix("profile "))
        os.environ.update(environment(""))
    else:
        monkeypatch.setenv(where, s3_endpoint)
    return f"s3://{bucket}"


def test_reading_and_writing_obey_the_same_endpoint(configured: str) -> None:
    """What is written to the endpoint that the environment or the profile names is read there."""
    open_store(configured).put("a/b", b"1")
    assert Store(configured).get("a/b") == b"1"


def test_an_option_replaces_the_configured_endpoint(
    bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that is given counts, whatever the environment says; it is the only one that is then checked."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    url = f"s3://{bucket}"
    open_store(url, s3_endpoint).put("a", b"1")
    assert Store(url, endpoint=s3_endpoint).get("a") == b"1"
    assert environment(s3_endpoint)["AWS_ENDPOINT_URL_S3"] == s3_endpoint


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "https://s3.us-east-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "https://s3.eu-west-3.amazonaws.com"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-3"}, "https://s3.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}, "http://b"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": ""}, "http://a"),
        (
            {"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"},
            "https://s3.us-east-1.amazonaws.com",
        ),
        ({"AWS_ENDPOINT": "http://only-obstore-reads-this"}, "https://s3.us-east-1.amazonaws.com"),
    ],
)
def test_aws_variables_name_an_endpoint(variables: dict[str, str], expected: str) -> None:
    """The variable for S3 comes before the one for all services, and AWS's own S3 after both."""
    assert store_urls.s3_endpoint(variables) == expected


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9000", "AWS_ENDPOINT_URL is an http:// or https:// URL"),
        ("AWS_ENDPOINT_URL_S3", "http://h/?x", "AWS_ENDPOINT_URL_S3 is an http:// or https:// URL"),
        ("AWS_REGION", "eu west", "name a region, such as eu-west-1. Got: eu west"),
        ("AWS_REGION", "é", "name a region"),
        ("AWS_CA_BUNDLE", "/nowhere", "AWS_CA_BUNDLE is a file of certificates"),
        ("AWS_CA_BUNDLE", __file__, "AWS_CA_BUNDLE is a file of certificates"),
    ],
)
def test_aws_variables_that_break_a_rule_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, rule: str
) -> None:
    """The variable is named before obstore panics over it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as raised:
        Store("s3://b")
    assert rule in str(raised.value)
