"""Use the credentials of an AWS profile: to sign requests, and as environment variables."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from requests.auth import AuthBase

from weir.errors import StoreUnavailable

_SERVICE = "execute-api"
_REGION_LABEL = 2
"""`<api>.execute-api.<region>.amazonaws.com`"""


class SigV4(AuthBase):
    """Sign requests to an API with IAM authorization (Signature Version 4)."""

    def __init__(self, credentials: Credentials, region: str) -> None:
        """Sign with these credentials, for the API Gateway of a region."""
        self._signer = SigV4Auth(credentials, _SERVICE, region)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature's headers."""
        headers = {"Content-Type": request.headers.get("Content-Type", "")} if request.body else {}
        signed = AWSRequest(method=request.method, url=request.url, data=request.body, headers=headers)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


def authorization(url: str) -> AuthBase | None:
    """Sign requests to an https URL when there are AWS credentials; return None for http, and without credentials.

    Raises:
        StoreUnavailable: the AWS profile does not exist, or gives no credentials.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    with _translated():
        session = boto3.Session()
        credentials = session.get_credentials()
    if credentials is None:
        return None
    labels = (parts.hostname or "").split(".")
    gateway = labels[1:2] == [_SERVICE] and len(labels) > _REGION_LABEL
    return SigV4(credentials, labels[_REGION_LABEL] if gateway else session.region_name or "us-east-1")


def environment() -> dict[str, str]:
    """Return the profile's credentials and region as the environment variables that a Lambda function has.

    Raises:
        StoreUnavailable: the AWS profile does not exist, or gives no credentials.
    """
    with _translated():
        session = boto3.Session()
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    variables: dict[str, str | None] = {"AWS_REGION": session.region_name}
    if frozen:
        variables["AWS_ACCESS_KEY_ID"] = frozen.access_key
        variables["AWS_SECRET_ACCESS_KEY"] = frozen.secret_key
        variables["AWS_SESSION_TOKEN"] = frozen.token
    return {name: value for name, value in variables.items() if value}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BotoCoreError as exc:
        raise StoreUnavailable("the AWS profile gave no credentials", exc) from exc
