import { Pool } from 'undici';
import { executeAll, serve, submitAll } from '../peer/serve.mjs';

const pool = new Pool(process.env.API_URL, { connections: 50, pipelining: 1 });

async function call(method, path, expected) {
  const { statusCode, body } = await pool.request({ method, path });
  const text = await body.text();
  if (statusCode !== expected) throw new Error(`${method} ${path}: ${statusCode} ${text.slice(0, 200)}`);
  return JSON.parse(text);
}

serve({
  submit: (count, atOnce) => submitAll(() => call('POST', '/tasks/fetch-joke', 202), count, atOnce),
  execute: (count) =>
    executeAll(
      count,
      () => call('POST', '/tasks/fetch-joke', 202),
      async ({ job_id }) => (await call('GET', `/tasks/${job_id}`, 200)).status === 'succeeded',
    ),
  completed: async () => (await call('GET', '/tasks/completed', 200)).completed,
  stop: () => pool.destroy(),
});
