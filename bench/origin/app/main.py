"""The HTTP API."""

from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.procrastinate_app import app as procrastinate_app
from app.tasks import fetch_joke


@asynccontextmanager
async def lifespan(_: FastAPI):
    async with procrastinate_app.open_async():
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/tasks/fetch-joke", status_code=202)
async def submit_fetch_joke() -> dict[str, int]:
    return {"job_id": await fetch_joke.defer_async()}


@app.get("/tasks/completed")
async def count_completed() -> dict[str, int]:
    """Returns the number of jobs that have succeeded. The benchmark reads it."""
    row = await procrastinate_app.connector.execute_query_one_async(
        "SELECT count(*) AS count FROM procrastinate_jobs WHERE status = 'succeeded' AND task_name = 'app.tasks.fetch_joke'"
    )
    return {"completed": row["count"]}


@app.get("/tasks/{job_id}")
async def read_status(job_id: int) -> dict[str, str]:
    """Returns the status of a job. The benchmark reads it."""
    status = await procrastinate_app.job_manager.get_job_status_async(job_id)
    return {"status": status.value}
