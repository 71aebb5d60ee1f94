"""What tells the batch function of a file: S3's notification or EventBridge's event, by itself or inside SNS or SQS.

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
- https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from typing import NamedTuple
from urllib.parse import unquote_plus

import msgspec

from weir.errors import BadBody

_RULE = "a notice of a file is S3's notification or EventBridge's event of an object created, by itself or inside SNS"


class S3Object(NamedTuple):
    """An object that a notice names."""

    bucket: str
    """empty when the notice names none"""
    key: str
    """decoded"""
    sequencer: str = ""
    """orders the events of one key: an upload has its own; empty when the notice has none"""


def decode(text: str) -> list[S3Object]:
    """Read a notice from JSON, such as the body of a message of SQS. Raises as `objects` does."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise BadBody(f"{_RULE}, as JSON", text) from exc
    return objects(document)


def objects(notice: object) -> list[S3Object]:
    """List the objects that a notice names: none for S3's test event, one or more for any other.

    A record of Lambda's failure destination counts as the event that it holds, so that it can be sent again.

    Raises:
        BadBody: it is no notice of files.
    """
    match notice:
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": [_, *_] as records}:
            return [named for record in records for named in _record(record)]
        case {"Type": "Notification", "Message": str(message)}:
            return decode(message)
        case {"source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": str(key)}} as detail}:
            return [S3Object(_bucket(detail), key, _sequencer(detail))]  # EventBridge does not encode keys
        case {"requestContext": _, "requestPayload": event}:
            return objects(event)
        case _:
            raise BadBody(_RULE, notice)


def _record(record: object) -> list[S3Object]:
    match record:
        case {"eventName": str(name)} if not name.startswith("ObjectCreated:"):
            raise BadBody(_RULE, name)
        case {"s3": {"object": {"key": str(key)}} as detail}:
            return [S3Object(_bucket(detail), unquote_plus(key), _sequencer(detail))]
        case {"Sns": {"Message": str(message)}}:
            return decode(message)
        case _:
            raise BadBody(_RULE, record)


def _bucket(detail: object) -> str:
    match detail:
        case {"bucket": {"name": str(name)}}:
            return name
        case _:
            return ""


def _sequencer(detail: object) -> str:
    match detail:
        case {"object": {"sequencer": str(sequencer)}}:
            return sequencer
        case _:
            return ""
