"""The Procrastinate application and its retry strategy."""

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job

from app import config


class ExponentialBackoffStrategy(BaseRetryStrategy):
    """Waits base_delay * 2 ** n seconds after failure n, counted from 0, and at most max_delay.

    It gives up after max_attempts attempts.
    """

    def __init__(self, max_attempts: int = 5, base_delay: float = 2.0, max_delay: float = 300.0):
        self.max_attempts = max_attempts
        self.base_delay = base_delay
        self.max_delay = max_delay

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= self.max_attempts:
            return None
        delay = min(self.base_delay * 2**job.attempts, self.max_delay)
        return RetryDecision(retry_in={"seconds": delay})


app = App(
    connector=PsycopgConnector(conninfo=config.DATABASE_URL, max_size=config.WORKER_CONCURRENCY),
    import_paths=["app.tasks"],
)
