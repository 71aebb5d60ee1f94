"""local.poller: which messages are delivered again."""

import pytest

from local.poller import failures


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (None, ""),
        ({}, ""),
        ({"batchItemFailures": None}, ""),
        ({"batchItemFailures": []}, ""),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, "b"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": "c"}]}, "ab"),
        ({"batchItemFailures": [{"itemIdentifier": ["a"]}]}, "ab"),
        ({"batchItemFailures": [{"messageId": "a"}]}, "ab"),
        ({"batchItemFailures": 1}, "ab"),
        ("done", "ab"),
    ],
)
def test_messages_are_delivered_again_as_by_lambda(answer: object, again: str) -> None:
    """No name is success, and an unknown name is failure of all messages."""
    assert failures(answer, {"a", "b"}) == set(again)
