"""local.poller: the decision which messages come again."""

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
def test_messages_come_again_as_lambda_says(answer: object, again: str) -> None:
    """Nothing named is success; a name that was not given is failure of all."""
    assert failures(answer, {"a", "b"}) == set(again)
