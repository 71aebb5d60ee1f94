"""The AWS profile of the person who runs a command: its credentials, region, endpoint and certificates."""

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from weir.catalog.store_failures import first_line
from weir.errors import BadInput, StoreUnavailable

_TEST = "`aws sts get-caller-identity` tests the profile, and `aws sso login` renews one of SSO"


def credentials() -> Credentials | None:
    """Return the credentials of the profile as they are now; None when there are none.

    Raises:
        StoreUnavailable: the AWS profile does not exist, or gives no credentials.
    """
    with explained():
        return usable(botocore.session.get_session().get_credentials())


def usable(found: Credentials | None) -> Credentials | None:
    """Return credentials after SSO, a role or a process has really given them. Raises what botocore raises."""
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)


def region() -> str:
    """Return the region of the profile, `us-east-1` when it has none. Raises `StoreUnavailable`."""
    with explained():
        return botocore.session.get_session().get_config_variable("region") or "us-east-1"


def environment(endpoint: str) -> dict[str, str]:
    """Return the environment variables with which a function reads S3 as boto3 does with this profile.

    An endpoint that is not empty replaces the profile's.

    Raises:
        BadInput: the endpoint that the profile or AWS_ENDPOINT_URL names is no URL.
        StoreUnavailable: the AWS profile does not exist, or gives no credentials.
    """
    with explained():
        session = botocore.session.get_session()
        found = usable(session.get_credentials())
        variables = {
            "AWS_REGION": session.get_config_variable("region"),
            "AWS_CA_BUNDLE": session.get_config_variable("ca_bundle"),
            "AWS_ENDPOINT_URL_S3": endpoint or session.create_client("s3").meta.endpoint_url,
        }
    if found:
        variables |= {
            "AWS_ACCESS_KEY_ID": found.access_key,
            "AWS_SECRET_ACCESS_KEY": found.secret_key,
            "AWS_SESSION_TOKEN": found.token,
        }
    return {name: value for name, value in variables.items() if value}


@contextmanager
def explained() -> Iterator[None]:
    """Say in one line what is wrong with the profile.

    Raises:
        BadInput: an endpoint that boto3 refuses.
        StoreUnavailable: anything else that botocore raises, or a credential process.
    """
    try:
        yield
    except (BotoCoreError, ClientError, OSError, ValueError, KeyError, TypeError) as exc:
        cause = "its credentials are no JSON" if isinstance(exc, JSONDecodeError) else first_line(exc)
        if cause.startswith("Invalid endpoint"):  # botocore has a ValueError for it
            rule = "the endpoint of S3 (--store-endpoint, AWS_ENDPOINT_URL or the AWS profile) is one that boto3 takes"
            raise BadInput(rule, cause.partition(": ")[2]) from exc
        name = botocore.session.get_session().profile or "default"
        raise StoreUnavailable(f"the AWS profile {name} can't be used", f"{cause}; {_TEST}") from exc
