from __future__ import annotations

import orjson
import pytest

from wfrun.authoring.attachments import Attachment
from wfrun.runner.child.messages import CaseResult, Generation, Status


@pytest.mark.parametrize(
    "result",
    [
        CaseResult("a::b", Status.PASSED, 0.5),
        CaseResult("a::b", Status.FAILED, 0.5, "it broke"),
        CaseResult(
            "a::b",
            Status.PASSED,
            0.5,
            details="d",
            items=3,
            notes={"n": [1]},
            generation=Generation({"wall_time_ns": [1.0]}),
            warnings=("w",),
            findings=("f",),
            attachments=(Attachment.of("a.txt", "text"),),
        ),
    ],
    ids=["plain", "failed", "everything"],
)
def test_a_result_is_the_same_behind_the_pipe(result: CaseResult) -> None:
    assert CaseResult.from_json(orjson.loads(orjson.dumps(result.to_json()))) == result


def test_what_says_nothing_is_not_sent() -> None:
    assert CaseResult("a::b", Status.PASSED, 0.5).to_json().keys() == {"case_id", "status", "duration_s"}
