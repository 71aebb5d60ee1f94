"""Sign requests to an API with the credentials of an AWS profile."""

from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

from training import aws_profile

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
    """Sign requests to an https URL when there are AWS credentials; return None when there are none.

    Raises:
        StoreUnavailable: the AWS profile does not exist, or gives no credentials.
    """
    credentials = aws_profile.credentials()
    if credentials is None:
        return None
    labels = (urlsplit(url).hostname or "").split(".")
    gateway = labels[1:2] == [_SERVICE] and len(labels) > _REGION_LABEL
    return SigV4(credentials, labels[_REGION_LABEL] if gateway else aws_profile.region())
