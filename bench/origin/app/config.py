"""The settings that the old stack's testing guide puts in `.env`, with the guide's defaults."""

import os

API_BASE_URL = os.environ.get("API_BASE_URL", "https://api.chucknorris.io")
DATABASE_URL = os.environ["DATABASE_URL"]
MAX_RETRIES = int(os.environ.get("MAX_RETRIES", "5"))
BASE_DELAY = float(os.environ.get("BASE_DELAY", "2.0"))
MAX_DELAY = float(os.environ.get("MAX_DELAY", "300.0"))
JOB_TIMEOUT = float(os.environ.get("JOB_TIMEOUT", "300"))
WORKER_CONCURRENCY = int(os.environ.get("WORKER_CONCURRENCY", "10"))
