"""Adapts generated requests so that no answer takes a minute. Valid requests stay valid, invalid ones stay invalid."""

import os
import re
import threading
import time
import uuid

import schemathesis

LONGEST_SECONDS = {"wait": 0.2, "delay": 2_592_000}
BOUND = {"wait": 60, "delay": 2_592_000}


def end_with(parent):
    """Ends this process when its parent is gone, even if the parent was killed with SIGKILL."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()


def in_form(name, value):
    """Limits a valid number to LONGEST_SECONDS and formats it as the API requires. Returns other values unchanged."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= BOUND[name]:
        return value
    return f"{min(value, LONGEST_SECONDS[name]):.3f}"


@schemathesis.hook
def filter_case(context, case):
    """Skips requests with an empty parameter. The parameter would not be sent: an invalid request would be valid."""
    return not any(value is None or value in ([], {}) for value in (case.query or {}).values())


@schemathesis.hook
def before_call(context, case, kwargs):
    for name in BOUND.keys() & (case.query or {}).keys():
        case.query[name] = in_form(name, case.query[name])
    for name, value in (case.headers or {}).items():
        if name.lower() == "prefer" and re.search("wait", str(value), re.IGNORECASE):
            case.headers[name] = "wait=0"
        # Each request gets its own key, because the API refuses a key that was used with another body.
        if name.lower() == "idempotency-key" and re.fullmatch("[\x21-\x7e]{1,255}", str(value)):
            case.headers[name] = str(uuid.uuid4())
