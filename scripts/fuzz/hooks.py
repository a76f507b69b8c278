"""A run makes thousands of requests: none of them may wait a minute for a task that was delayed."""

import re

import schemathesis

LONGEST_WAIT = 60
SHORT_WAIT = 0.2


def to_seconds(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return -1


@schemathesis.hook
def before_call(context, case, kwargs):
    # Only valid waits are shortened, to valid ones: what was made up to be refused stays as it is.
    wait = case.query.get("wait") if case.query else None
    if SHORT_WAIT < to_seconds(wait) <= LONGEST_WAIT and not isinstance(wait, bool):
        case.query["wait"] = SHORT_WAIT
    for name, value in (case.headers or {}).items():
        if name.lower() == "prefer" and re.search("wait", str(value), re.IGNORECASE):
            case.headers[name] = "wait=0"
