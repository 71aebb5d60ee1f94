"""weir.batch.notices: what tells the batch function of a file, and whatever else may arrive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.batch.notices import S3Object, decode, objects
from weir.errors import BadBody

FOUND = S3Object("b", "batches/in/thirds/a day=1/ä.npy", "0A")
NAMED = {"key": "batches/in/thirds/a+day%3D1/%C3%A4.npy", "sequencer": "0A"}
RECORD = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": NAMED}}
DIRECT = {"Records": [RECORD]}
DETAIL = {"bucket": {"name": FOUND.bucket}, "object": {"key": FOUND.key, "sequencer": "0A"}}
EVENT = {"source": "aws.s3", "detail-type": "Object Created", "detail": DETAIL}
TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}


def _envelope(notice: object) -> dict[str, Any]:
    return {"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(notice)}


def _subscribed(notice: object) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": _envelope(notice)}]}


def _kept(notice: object) -> dict[str, Any]:
    return {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": notice}


@pytest.mark.parametrize("notice", [DIRECT, EVENT], ids=["s3", "eventbridge"])
@pytest.mark.parametrize(
    "wrap",
    [dict, _envelope, _subscribed, _kept, lambda notice: _kept(_subscribed(notice))],
    ids=lambda one: one.__name__,
)
def test_the_object_of_a_notice_is_found(notice: dict[str, Any], wrap: Any) -> None:  # noqa: ANN401 (a function)
    """By itself, in SNS's envelope, and in a dead letter of Lambda; keys of S3 are encoded, of EventBridge not."""
    assert objects(wrap(notice)) == decode(json.dumps(wrap(notice))) == [FOUND]


def test_every_object_of_a_notice_is_found() -> None:
    """They come in the order of the records."""
    other = {"s3": {"bucket": {"name": "b"}, "object": {"key": "x"}}}
    assert objects({"Records": [other, RECORD]}) == [S3Object("b", "x"), FOUND]


def test_a_notice_may_leave_out_the_bucket() -> None:
    """The function has one store, so the key is enough."""
    assert objects({"Records": [{"s3": {"object": {"key": "x"}}}]}) == [S3Object("", "x")]


@pytest.mark.parametrize("wrap", [dict, _envelope, _subscribed, _kept], ids=lambda one: one.__name__)
def test_s3s_test_event_names_no_object(wrap: Any) -> None:  # noqa: ANN401 (a function)
    """It is sent when the notification is made, through whatever the notification goes through."""
    assert objects(wrap(TEST)) == []


UNKNOWN: list[Any] = [
    {},
    [],
    None,
    1,
    "text",
    [DIRECT],
    {"Records": []},
    {"Records": {}},
    {"Records": [{}]},
    {"Records": [RECORD, None]},
    {"Records": [{"s3": {"object": {"key": 1}}}]},
    {"Records": [{"s3": {"bucket": {"name": "b"}}}]},
    {"Records": [{"body": json.dumps(DIRECT)}]},
    {"Event": "s3:Other"},
    {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "SubscribeURL": "https://x"},
    {"Type": "Notification", "Message": "no JSON"},
    {"source": "aws.ec2", "detail": {"object": {"key": "x"}}},
    {"source": "aws.s3", "detail": {}},
    EVENT | {"detail-type": "Object Deleted"},
    EVENT | {"detail-type": "Object Tags Added"},
    {"Records": [RECORD | {"eventName": "ObjectRemoved:Delete"}]},
    {"Records": [RECORD | {"eventName": "ObjectTagging:Put"}]},
    {"requestPayload": DIRECT},
    {"key1": "value1"},
]


@pytest.mark.parametrize("notice", UNKNOWN, ids=str)
def test_what_names_no_file_is_refused(notice: object) -> None:
    """Nothing but S3's test event is taken for a notice of no file; the error has what came."""
    with pytest.raises(BadBody, match=r"a notice of a file is .+\. Got: "):
        objects(notice)


@pytest.mark.parametrize(
    "text", ["", "no json", "{", "[" * 100_000, "\ud800", '{"Type": "Notification", "Message": "{"}']
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """So is JSON that is nested too deep, and text that no encoding has."""
    with pytest.raises(BadBody, match=r"a notice of a file is .+, as JSON\. Got: "):
        decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "s3", "Sns", "Message", "Type", "detail", "object", "key", "bucket", "source"]),
            inner | st.sampled_from(["Notification", "aws.s3", "{}"]),
        )
    ),
)


@given(JSON)
def test_no_json_breaks_the_reader(notice: object) -> None:
    """Whatever it is, its objects are found or it is refused."""
    try:
        found = objects(notice)
    except BadBody:
        return
    assert found
    assert all(isinstance(part, str) for one in found for part in one)
