"""training.aws_profile: what AWS's files of profiles say, and what is wrong with them."""

import re
from pathlib import Path

import boto3
import pytest

from training import aws_profile
from training.client.clients import HttpClient
from training.publishing.stores import open_store
from weir.catalog.mounts import END_TO_END
from weir.errors import BadInput, StoreUnavailable

CONFIG = r"""
[profile work]
region = eu-north-1
ca_bundle = /certificates.pem
aws_access_key_id = a
aws_secret_access_key = b
aws_session_token = c
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = role
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = eu-west-1
[profile process]
credential_process = /nowhere/process
[profile talk]
credential_process = echo hello
[profile failing]
credential_process = sh -c "echo it is broken >&2; echo badly >&2; exit 3"
[profile empty]
credential_process = echo {}
[profile chain]
role_arn = arn:aws:iam::1:role/x
source_profile = nobody
[profile web]
role_arn = arn:aws:iam::1:role/x
web_identity_token_file = /nowhere/token
[profile half]
aws_access_key_id = a
[profile endpoint]
aws_access_key_id = a
aws_secret_access_key = b
endpoint_url = localhost:9000
"""
BROKEN = {
    "nobody": r"The config profile \(nobody\) could not be found",
    "sso": "Error loading SSO Token: Token for company does not exist",
    "process": "No such file or directory: /nowhere/process",
    "talk": "its credentials are no JSON",
    "failing": "Error when retrieving credentials from custom-process: it is broken",
    "empty": "Error when retrieving credentials from custom-process: Unsupported version",
    "chain": 'The source_profile "nobody" referenced in the profile "chain" does not exist',
    "web": "No such file or directory: /nowhere/token",
    "half": "Partial credentials found in config-file, missing: aws_secret_access_key",
}
"""profile -> what is wrong with it"""


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of profiles, and no other credentials on this machine."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION", "REGION", "PROFILE", "CA_BUNDLE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    file = tmp_path / "config"
    file.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return file


def test_a_profile_becomes_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials, region, endpoint and certificates of a profile become the variables of a function."""
    monkeypatch.setenv("AWS_PROFILE", "work")
    expected = {
        "AWS_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_SESSION_TOKEN": "c",
        "AWS_CA_BUNDLE": "/certificates.pem",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    }
    assert aws_profile.environment("http://127.0.0.1:9") == expected
    aws = aws_profile.environment("")["AWS_ENDPOINT_URL_S3"]
    assert aws == "https://s3.eu-north-1.amazonaws.com"


@pytest.mark.parametrize(("name", "cause"), BROKEN.items())
def test_what_is_wrong_with_a_profile_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, cause: str) -> None:
    """Signing, reading and writing name the profile, its fault and what to try, before anything is sent."""
    monkeypatch.setenv("AWS_PROFILE", name)
    message = re.compile(f"the AWS profile {name} can't be used: {cause}.*; `aws sts get-caller-identity` tests")
    for use in (
        lambda: HttpClient("https://api.example.org", END_TO_END),
        lambda: HttpClient("HTTPS://api.example.org", END_TO_END),
        lambda: aws_profile.environment(""),
        lambda: open_store("s3://b"),
    ):
        with pytest.raises(StoreUnavailable, match=message) as raised:
            use()
        assert "\ufffd" not in str(raised.value)


@pytest.mark.parametrize("name", BROKEN)
def test_no_profile_is_read_for_http(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Requests to http are never signed, so a broken profile harms nothing."""
    monkeypatch.setenv("AWS_PROFILE", name)
    HttpClient("http://127.0.0.1:9", END_TO_END)


def test_a_file_of_profiles_that_is_none_is_explained(config: Path) -> None:
    """A file that can't be parsed is named."""
    config.write_text("[profile")
    with pytest.raises(StoreUnavailable, match="can't be used: Unable to parse config file: "):
        aws_profile.environment("")


def test_an_endpoint_of_a_profile_that_is_none_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused where the profile is read, for reading and for writing."""
    monkeypatch.setenv("AWS_PROFILE", "endpoint")
    for use in (lambda: aws_profile.environment(""), lambda: open_store("s3://b")):
        with pytest.raises(BadInput, match=r"or the AWS profile\) is one that boto3 takes\. Got: localhost:9000"):
            use()


def test_without_any_credentials_there_is_nothing_wrong() -> None:
    """No profile and no credentials are no error: an API may need none, and a store says so itself."""
    assert aws_profile.credentials() is None
    assert "AWS_ACCESS_KEY_ID" not in aws_profile.environment("")
    HttpClient("https://api.example.org", END_TO_END)
