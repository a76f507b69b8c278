"""The jobs: one upstream call, and the sweep that retries the jobs of dead workers."""

import asyncio
import logging

import httpx
from procrastinate import JobContext

from app import config
from app.procrastinate_app import ExponentialBackoffStrategy, app

logger = logging.getLogger(__name__)
client = httpx.AsyncClient(base_url=config.API_BASE_URL)


@app.task(
    pass_context=True,
    retry=ExponentialBackoffStrategy(config.MAX_RETRIES, config.BASE_DELAY, config.MAX_DELAY),
)
async def fetch_joke(context: JobContext) -> dict[str, str]:
    logger.info("Job %s: Fetching joke (attempt %s/%s)", context.job.id, context.job.attempts + 1, config.MAX_RETRIES)
    async with asyncio.timeout(config.JOB_TIMEOUT):
        response = await client.get("/jokes/random")
    if response.status_code != 200:
        raise RuntimeError(f"HTTP {response.status_code}")
    joke = response.json()
    if not all(isinstance(joke.get(field), str) for field in ("id", "value", "url")):
        raise RuntimeError("JSON of another shape")
    return {"id": joke["id"], "joke": joke["value"], "url": joke["url"]}


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)
