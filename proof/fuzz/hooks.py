"""What is made up is valid or not by the document alone; a few valid values are put into a form that suits a run of thousands."""

import os
import re
import threading
import time
import uuid

import schemathesis

# Nobody waits a minute for each answer.
LONGEST_SECONDS = {"wait": 0.2, "delay": 2_592_000}
BOUND = {"wait": 60, "delay": 2_592_000}


def end_with(parent):
    """Ends this process when the command that started it is gone, even killed with -9."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()


def in_form(name, value):
    """A valid number of seconds as plain decimals, which is how the API reads numbers; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= BOUND[name]:
        return value
    return f"{min(value, LONGEST_SECONDS[name]):.3f}"


@schemathesis.hook
def filter_case(context, case):
    """A parameter without a value is not sent: a request that is invalid for it alone arrives as a valid one."""
    return not any(value is None or value in ([], {}) for value in (case.query or {}).values())


@schemathesis.hook
def before_call(context, case, kwargs):
    for name in BOUND.keys() & (case.query or {}).keys():
        case.query[name] = in_form(name, case.query[name])
    for name, value in (case.headers or {}).items():
        if name.lower() == "prefer" and re.search("wait", str(value), re.IGNORECASE):
            case.headers[name] = "wait=0"
        # A key that comes twice is refused with another body, as it should be: no fault of the request.
        if name.lower() == "idempotency-key" and re.fullmatch("[\x21-\x7e]{1,255}", str(value)):
            case.headers[name] = str(uuid.uuid4())
