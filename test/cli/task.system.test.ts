import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHoldfastClient } from '../../cli/client/holdfast-client.ts';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { followTasks } from '../../cli/task/follow.ts';
import { escapeText, toJsonLine } from '../../cli/task/lines.ts';
import { createShortIds } from '../../cli/task/output.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { createOwnTemporal } from '../support/own-temporal.ts';
import { type SignedIn, signIn, toSecret } from '../support/signed-in.ts';

const script = fileURLToPath(new URL('../../scripts/task.ts', import.meta.url));
const command = [process.execPath, ...nodeArguments(script)];

// This run has its own owner, so that the list shows no task of another test.
const owner = `task-${randomUUID()}`;
const secret = toSecret(owner);

let holdfast: Holdfast;
let signed: SignedIn;
beforeAll(async () => {
  holdfast = await startHoldfast({ API_KEYS: `${owner}:${secret}`, MAX_ATTEMPTS: '3', BASE_DELAY: '1' });
  signed = signIn(holdfast, secret);
  await holdfast.startWorker();
});
afterAll(async () => await holdfast.stop());

/** Starts the command. `printed` is what it has printed so far. It is killed when the test is over. */
function start(args: string[], env: Record<string, string> = {}) {
  const [node = '', ...before] = command;
  const child = execa(node, [...before, ...args], {
    env: { HOLDFAST_URL: holdfast.url, HOLDFAST_API_KEY: secret, ...env },
    stdin: 'ignore',
    reject: false,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (text) => {
      printed[name] += text;
    });
  return { child, pid: child.pid as number, printed };
}

/** Runs the command to its end. Returns its exit code and the lines of both streams. */
async function run(args: string[], env?: Record<string, string>) {
  const { exitCode, stdout, stderr } = await start(args, env).child;
  return { exitCode, lines: stdout.split('\n').filter(Boolean), errors: stderr.split('\n').filter(Boolean) };
}

const parseLines = (lines: string[]): Task[] => lines.map((line) => JSON.parse(line));

/** Returns a category for one test. The upstream answers its tasks with `then`, one answer per attempt. */
function scripted(then: Parameters<Holdfast['jokes']['rules']['add']>[0]['then'], more: { repeat?: boolean } = {}) {
  const category = `task-${randomUUID()}`;
  holdfast.jokes.rules.add({ when: { category }, then, ...more });
  return category;
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Bytes that have an effect on a terminal, except line ends. */
const effects = /[^\P{Cc}\n]|[\u2028\u2029]/u;

describe('submitting', () => {
  test('shows the states of a task up to the joke, and exits with 0', async () => {
    const { exitCode, lines, errors } = await run(['fetch-joke']);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: [] });
    const { items } = (await signed.call('GET', '/tasks?limit=1')).body;
    const [id] = lines[0]?.match(/[0-9a-f]{16}_fetch-joke_[\w-]+/) ?? [];
    const task = await signed.read(id ?? '');
    expect(task.id).toBe(items[0].id);
    const start = `^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  ${task.id.split('_')[2]?.slice(0, 8)}  `;
    expect(lines[0]).toMatch(new RegExp(`${start}queued +attempt 1/3, ${task.id}$`));
    expect(lines.at(-1)).toMatch(new RegExp(`${start}completed +attempt 1/3, after \\d+\\.\\d s: .{10}`));
    expect(lines.at(-1)).toContain(escapeText(String(task.output?.joke)));
  });

  test('shows each failed attempt with the wait for the next', async () => {
    const { exitCode, lines } = await run(['fetch-joke', '--category', scripted([{ status: 503 }])]);
    expect(exitCode).toBe(0);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /retrying {2,}attempt 2\/3, next attempt in (0\.\d|1\.0) s, last failure UpstreamUnavailable: HTTP 503$/,
      ),
    );
    expect(lines.at(-1)).toMatch(/completed {2,}attempt 2\/3, /);
  });

  test('exits with 1 and the reason when the attempts are used up', async () => {
    const { exitCode, lines } = await run([
      ...['fetch-joke', '--category', scripted([{ status: 503 }], { repeat: true })],
    ]);
    expect(exitCode).toBe(1);
    expect(lines.filter((line) => line.includes(' retrying '))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(
      /failed {2,}attempt 3\/3, after \d+\.\d s, attempts-exhausted: UpstreamUnavailable: HTTP 503$/,
    );
  });

  test('prints only documents with --json, and the last one of a task is its end', async () => {
    const args = ['fetch-joke', '--json', '--count', '2', '--category', scripted([{ status: 500 }])];
    const { exitCode, lines } = await run(args);
    expect(exitCode).toBe(0);
    const documents = parseLines(lines);
    const ids = [...new Set(documents.map(({ id }) => id))];
    expect(ids).toHaveLength(2);
    for (const id of ids) {
      const seen = documents.filter((task) => task.id === id);
      expect(seen[0]).toMatchObject({ status: 'queued', attempt: 1 });
      expect(seen).toContainEqual(expect.objectContaining({ status: 'retrying', nextAttemptAt: expect.any(String) }));
      expect(seen.at(-1)).toEqual(await signed.read(id));
    }
  });

  test('sums up many tasks, and each line has a distinct short id', async () => {
    const category = `task-${randomUUID()}`;
    holdfast.jokes.rules.add({ when: { category }, then: [{ status: 404 }], ratio: 0.5 });
    const { exitCode, lines } = await run(['fetch-joke', '--category', category, '--count', '11']);
    const ids = lines.flatMap((line) => line.match(/[0-9a-f]{16}_fetch-joke_[\w-]+/) ?? []);
    const tasks = await Promise.all(ids.map((id) => signed.read(id)));
    // An odd number, so that the two counts always differ.
    const count = (wanted: Task['status']) => tasks.filter(({ status }) => status === wanted).length;
    expect(tasks).toHaveLength(11);
    expect(lines.at(-1)).toBe(`11 tasks: ${count('completed')} completed, ${count('failed')} failed`);
    expect(exitCode).toBe(count('failed') > 0 ? 1 : 0);
    const shortIds = new Set(lines.slice(0, -1).map((line) => line.split('  ')[1]));
    expect([...shortIds].sort()).toEqual(ids.map((id) => id.split('_')[2]?.slice(0, 8)).sort());
  });

  test('stops at a refused submission, says how many were accepted, and follows those', async () => {
    let posts = 0;
    const url = await serve(async ({ method, url: path, headers }, response) => {
      if (method === 'POST') posts += 1;
      if (posts > 2 && method === 'POST') {
        response.writeHead(503).end('{"title":"Temporal does not answer","outcome":"not-started"}');
        return;
      }
      const { status, text } = await holdfast.call(method ?? '', path ?? '', {
        headers: { authorization: headers.authorization ?? '' },
      });
      response.writeHead(status).end(text);
    });
    const { exitCode, lines, errors } = await run(['fetch-joke', '--count', '50', '--url', url]);
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toBe('50 tasks: 2 completed, 0 failed, 48 not submitted');
    expect(errors).toEqual([
      'POST /tasks/fetch-joke: 503 Temporal does not answer. The task was not started. Accepted before the error: 2 of 50 tasks.',
    ]);
    // Submissions already under way at the first refusal were sent. None was sent after it.
    expect(posts).toBeLessThan(15);
  });

  test('takes the input as flags and as JSON, and lets the API check it', async () => {
    const [both, wrong] = await Promise.all([
      run(['fetch-joke', '--no-wait', '--json', '--input', '{"category":"dev"}', '--category', 'science']),
      run(['fetch-joke', '--input', '{"colour":"blue"}']),
    ]);
    expect(both.exitCode).toBe(0);
    expect(parseLines(both.lines)).toEqual([expect.objectContaining({ input: { category: 'science' } })]);
    expect(wrong).toMatchObject({ exitCode: 1, lines: [] });
    expect(wrong.errors).toEqual([expect.stringMatching(/422 The input does not fit its schema \(#\/colour/)]);
  });

  test('does not wait with --no-wait', async () => {
    const category = scripted([{ hang: 'headers' }], { repeat: true });
    const { exitCode, lines } = await run(['fetch-joke', '--no-wait', '--count', '2', '--category', category]);
    expect(exitCode).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/ queued /),
      expect.stringMatching(/ queued /),
      '2 of 2 tasks submitted',
    ]);
    const ids = lines.flatMap((line) => line.match(/[0-9a-f]{16}_fetch-joke_[\w-]+/) ?? []);
    for (const id of ids) await signed.call('POST', `/tasks/${id}/cancel`);
  });
});

describe('text from the upstream', () => {
  test('has no effect on the terminal and breaks no line, as text or as JSON', async () => {
    const category = scripted([{ body: 'joke-with-markup' }], { repeat: true });
    const [text, json] = await Promise.all([
      run(['fetch-joke', '--category', category]),
      run(['fetch-joke', '--json', '--category', category]),
    ]);
    for (const { lines } of [text, json]) expect(lines.join('\n')).not.toMatch(effects);
    expect(text.lines.at(-1)).toContain(
      '<b>bold</b> & "quoted" \\u001b[31mred\\u001b[0m\\u0007\\nsecond line\\r\\nthird\\u2028',
    );
    expect(parseLines(json.lines).at(-1)?.output).toMatchObject({ joke: expect.stringContaining('\u001b[31mred') });
  });

  test('stays the same value in JSON, and reordering marks are visible', () => {
    const value = { joke: 'a\u009b31m\u202eb\u2028c\u007f👩‍🚀' };
    expect(toJsonLine(value)).not.toMatch(effects);
    expect(JSON.parse(toJsonLine(value))).toEqual(value);
    expect(escapeText(value.joke)).toBe('a\\u009b31m\\u202eb\\u2028c\\u007f👩‍🚀');
  });
});

describe('a terminal', () => {
  const onTerminal = (args: string[]) => {
    const line = [...command, ...args].join(' ');
    const flags =
      process.platform === 'darwin' ? ['-q', '/dev/null', ...command, ...args] : ['-qec', line, '/dev/null'];
    return execa('script', flags, { env: { HOLDFAST_URL: holdfast.url, HOLDFAST_API_KEY: secret }, stdin: 'ignore' });
  };

  test('shows the wait count down with --watch, and plain lines without', async () => {
    const category = scripted([{ status: 503 }]);
    const [watched, plain] = await Promise.all([
      onTerminal(['fetch-joke', '--category', category, '--watch']),
      onTerminal(['fetch-joke', '--category', category]),
    ]);
    const countdown = watched.stdout.match(/retrying, attempt 2\/3, next attempt in \d\.\d s/g) ?? [];
    expect(new Set(countdown).size).toBeGreaterThan(1);
    // The live line is wiped before a lasting line is printed.
    expect(escapeText(watched.stdout)).toMatch(/\\u001b\[2K\\u001b\[1G\d\d:\d\d:\d\d\.\d{3} .* completed /);
    expect(plain.stdout.replaceAll('\r', '')).not.toMatch(effects);
  });
});

describe('Ctrl-C', () => {
  test('names the tasks that keep running, exits with 130, and does not end them', async () => {
    const category = scripted([{ hang: 'headers' }], { repeat: true });
    const { child, pid, printed } = start(['fetch-joke', '--count', '2', '--category', category, '--json']);
    await eventually(
      () => printed.stdout.match(/"status":"running"/g) ?? [],
      (running) => running.length === 2,
    );
    // Process listings do not show the key.
    const { stdout: listing } = await execa('ps', ['-A', '-o', 'args']);
    expect(listing).toContain(category);
    expect(listing).not.toContain(secret);

    process.kill(pid, 'SIGINT');
    const { exitCode, stdout } = await child;
    expect(exitCode).toBe(130);
    expect(printed.stderr).toContain('2 tasks: 0 completed, 0 failed, 2 still open.');
    expect(printed.stderr).not.toMatch(/^ +at /m);
    const ids = [...new Set(parseLines(stdout.split('\n')).map(({ id }) => id))];
    for (const id of ids) {
      expect(printed.stderr).toContain(`  npm run task -- status ${id}\n`);
      expect(await signed.read(id)).toMatchObject({ status: 'running' });
      await signed.call('POST', `/tasks/${id}/cancel`);
    }
  });
});

describe('status, cancel, rerun and list', () => {
  test('status shows a task and exits with 0; with --watch the exit code depends on how the task ends', async () => {
    const [good, bad] = await Promise.all([
      signed.submit(),
      signed.submit({ category: scripted([{ status: 404 }], { repeat: true }) }),
    ]);
    const [watched, failing] = await Promise.all([
      run(['status', good.id, '--watch']),
      run(['status', bad.id, '--watch', '--json']),
    ]);
    expect(watched.exitCode).toBe(0);
    expect(watched.lines.at(-1)).toMatch(/ completed /);
    expect(failing.exitCode).toBe(1);
    expect(parseLines(failing.lines).at(-1)).toEqual(await signed.read(bad.id));
    const once = await run(['status', bad.id]);
    expect(once).toMatchObject({ exitCode: 0, lines: [expect.stringMatching(/ failed .* non-retryable: Upstream/)] });
  });

  test('cancel ends a task, and the watch shows it; a finished or unknown task is refused in one line', async () => {
    const { id } = await signed.submit({ category: scripted([{ status: 503 }], { repeat: true }) });
    await signed.until(id, ({ status }) => status === 'retrying');
    expect(await run(['cancel', id])).toMatchObject({ exitCode: 0, errors: [] });
    const watched = await run(['status', id, '--watch']);
    expect(watched.exitCode).toBe(1);
    expect(watched.lines.at(-1)).toMatch(/ cancelled /);

    const { id: done } = await signed.submit();
    await signed.until(done, isFinished);
    const [tooLate, unknown] = await Promise.all([
      run(['cancel', done]),
      run(['status', done.replace(/[\w-]{8}$/, '00000000')]),
    ]);
    expect(tooLate).toMatchObject({
      exitCode: 1,
      errors: [expect.stringMatching(/409 The task has already ended \(The task has completed\)/)],
    });
    expect(unknown).toMatchObject({
      exitCode: 1,
      errors: [expect.stringMatching(/404 .*There is no task of this id.* list shows the ids\.$/)],
    });
  });

  test('rerun submits the same input as a new task and follows it; a task still open is refused in one line', async () => {
    const category = scripted([{ status: 404 }]);
    const { id } = await signed.submit({ category });
    expect((await signed.until(id, isFinished)).status).toBe('failed');
    holdfast.jokes.rules.add({ when: { category }, then: [{}], repeat: true });
    const rerun = await run(['rerun', id, '--json']);
    expect(rerun).toMatchObject({ exitCode: 0, errors: [] });
    const documents = parseLines(rerun.lines);
    expect(documents.at(-1)).toMatchObject({ status: 'completed', rerunOf: id, input: { category } });
    expect(documents.at(-1)?.id).not.toBe(id);

    const open = await signed.submit({ category: scripted([{ status: 503 }], { repeat: true }) });
    expect(await run(['rerun', open.id])).toMatchObject({
      exitCode: 1,
      lines: [],
      errors: [expect.stringMatching(/409 The task has not ended yet \(The task is \w+: rerun it when it has ended\)/)],
    });
    await signed.call('POST', `/tasks/${open.id}/cancel`);
  });

  test('list shows a page and says if there are more; --all follows the cursors to the end', async () => {
    const submitted = await Promise.all(Array.from({ length: 5 }, () => signed.submit()));
    await Promise.all(submitted.map(({ id }) => signed.until(id, isFinished)));
    const { items } = await eventually(
      async () => (await signed.call('GET', '/tasks?status=completed&limit=1000')).body as { items: Task[] },
      ({ items }) => submitted.every(({ id }) => items.some((item) => item.id === id)),
    );
    const [page, all, text, none] = await Promise.all([
      run(['list', '--status', 'completed', '--limit', '2', '--json']),
      run(['list', '--status', 'completed', '--limit', '2', '--json', '--all']),
      run(['list', '--status', 'completed', '--name', 'fetch-joke', '--all']),
      run(['list', '--status', 'scheduled']),
    ]);
    expect(parseLines(page.lines)).toEqual(items.slice(0, 2));
    expect(page.errors).toEqual(['There are more: --all shows them.']);
    expect(parseLines(all.lines)).toEqual(items);
    expect(all.errors).toEqual([]);
    expect(text.lines).toHaveLength(items.length);
    expect(text.lines[0]).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d {2}completed +${items[0]?.id} {2}\\{`),
    );
    expect(none).toEqual({ exitCode: 0, lines: [], errors: ['There are no such tasks.'] });
  });
});

describe('a wrong call', () => {
  test.each([
    [['fetch-joke', '--count', '0'], /^error: option '--count <n>' .* whole number from 1 to 1000\.$/],
    [['fetch-joke', '--count', '-1'], /^error: option '--count <n>' .* whole number from 1 to 1000\.$/],
    [['fetch-joke', '--count', 'abc'], /^error: option '--count <n>' .* whole number from 1 to 1000\.$/],
    [['fetch-joke', '--categori', 'dev'], /unknown option '--categori'\n\(Did you mean --category\?\)$/],
    [['fetch-jok'], /unknown command 'fetch-jok'\n\(Did you mean fetch-joke\?\)$/],
    [
      ['fetch-joke', '--input', '{'],
      /^error: option '--input <json>' .* must be JSON\. Put it in single quotes for the shell\.$/,
    ],
    [['fetch-joke', '--input', '[]'], /^error: option '--input <json>' .* must be a JSON object\.$/],
    [['status', '..'], /^error: .* must be a whole id\. `npm run task -- list` prints them\.$/],
    [['list', '--status', 'open-ish'], /^error: option '--status <status>' .* Allowed choices are .*open/],
  ])('%j is refused with exit code 2, and nothing is sent', async (args, message) => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.end();
    });
    const { exitCode, lines, errors } = await run(args, { HOLDFAST_URL: url });
    expect({ exitCode, lines, calls }).toEqual({ exitCode: 2, lines: [], calls: 0 });
    expect(errors.join('\n')).toMatch(message);
  });

  test('a misspelt variable of the command is warned about on stderr, with the nearest name', async () => {
    const { exitCode, errors } = await run(['list', '--json'], { HOLDFAST_APIKEY: secret, MAX_ATEMPTS: '7' });
    expect({ exitCode, errors }).toEqual({
      exitCode: 0,
      errors: ['HOLDFAST_APIKEY has no effect. Did you mean HOLDFAST_API_KEY?'],
    });
  });

  test('a bad environment is reported as by every part of Holdfast', async () => {
    const { exitCode, errors } = await run(['list'], { HOLDFAST_URL: '', PORT: 'abc' });
    expect({ exitCode, errors }).toEqual({
      exitCode: 78,
      errors: ['Configuration: one fault', '  PORT must be a whole number from 1 to 65535'],
    });
  });
});

describe('the server at the URL', () => {
  const expectOneLine = async (env: Record<string, string>, line: RegExp) => {
    const { exitCode, lines, errors } = await run(['fetch-joke'], env);
    expect({ exitCode, lines }).toEqual({ exitCode: 1, lines: [] });
    expect(errors).toEqual([expect.stringMatching(line)]);
  };

  test('gets no task if it is not Holdfast, and one line says so', async () => {
    const methods: (string | undefined)[] = [];
    const answering = (body: string, status = 200) =>
      serve(({ method }, response) => {
        methods.push(method);
        response.writeHead(status).end(body);
      });
    await Promise.all([
      expectOneLine(
        { HOLDFAST_URL: await answering('<h1>Hello</h1>') },
        /did not answer .* with JSON: it is not Holdfast/,
      ),
      expectOneLine({ HOLDFAST_URL: await answering('{"id":1}') }, /answers, but it is not Holdfast/),
      expectOneLine({ HOLDFAST_URL: await answering('null', 404) }, /not Holdfast/),
      expectOneLine({ HOLDFAST_URL: await answering('{"title":"\\u001b[31m"}', 418) }, /not Holdfast/),
    ]);
    expect(new Set(methods)).toEqual(new Set(['GET']));
  });

  test('one line says that it cannot be reached, and how to start one', async () => {
    const url = `http://127.0.0.1:${await findFreePort()}`;
    await expectOneLine({ HOLDFAST_URL: url }, /cannot be reached \(ECONNREFUSED\): .* npm start runs one\.$/);
  });

  test('one line says that it wants a key, does not know the key, or that the key is malformed', async () => {
    await Promise.all([
      expectOneLine(
        { HOLDFAST_API_KEY: '' },
        /requires an API key. Set HOLDFAST_API_KEY to one of the secrets in its API_KEYS\.$/,
      ),
      expectOneLine({ HOLDFAST_API_KEY: 'x'.repeat(40) }, /does not know the key in HOLDFAST_API_KEY/),
      expectOneLine(
        { HOLDFAST_API_KEY: 'two\nlines' },
        /^HOLDFAST_API_KEY has characters that are not allowed in a key/,
      ),
    ]);
  });
});

/** `npm run task -- … | head -1` reads the first line and closes the pipe. */
function readOneLine(...args: string[]) {
  const line = `set -o pipefail; ${[...command, ...args].join(' ')} | head -1`;
  const env = { HOLDFAST_URL: holdfast.url, HOLDFAST_API_KEY: secret };
  return execa('bash', ['-c', line], { env, reject: false });
}

// Seen to fail without the note: only the tasks that keep running were named.
test('says how many tasks were not submitted if the reader of its output goes away early', async () => {
  const category = scripted([{}]);
  const { exitCode, stderr } = await readOneLine('fetch-joke', '--category', category, '--count', '200');
  expect(exitCode).toBe(141);
  const [, missing] = /^(\d+) of 200 tasks were not submitted\.\n/.exec(stderr) ?? [];
  expect(Number(missing)).toBeGreaterThan(0);
  await eventually(
    () => new Set(holdfast.jokes.ledger({ category }).map(({ taskKey }) => taskKey)).size,
    (submitted) => submitted === 200 - Number(missing),
  );
});

test('ends without a stack if the reader of its output goes away, and the tasks keep running', async () => {
  const category = scripted([{ status: 503 }]);
  const { exitCode, stdout, stderr } = await readOneLine('fetch-joke', '--category', category);
  expect(exitCode).toBe(141);
  expect(stdout.split('\n')).toEqual([expect.stringMatching(/ queued /)]);
  expect(stderr).toMatch(/^The task keeps running\. To see it again:\n {2}npm run task -- status \S+$/);
});

describe('while Temporal is away', () => {
  test('an accepted task is watched until its end, and a new one is refused with its outcome', async () => {
    const temporal = await createOwnTemporal();
    onTestFinished(temporal.remove);
    await temporal.start();
    const away = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address });
    onTestFinished(away.stop);
    const env = { HOLDFAST_URL: away.url, HOLDFAST_API_KEY: '' };

    const { child, printed } = start(['fetch-joke'], env);
    await eventually(
      () => printed.stdout,
      (text) => text.includes(' queued '),
    );
    await temporal.kill();
    await eventually(
      () => printed.stderr,
      (text) => text.includes('503 Temporal does not answer'),
    );
    const refused = await run(['fetch-joke'], env);
    expect(refused).toMatchObject({
      exitCode: 1,
      lines: [],
      errors: [expect.stringMatching(/503 Temporal does not answer .* The task (was not|may have been) started/)],
    });

    await temporal.start();
    await away.startWorker();
    const { exitCode, stdout } = await child;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/ completed .*$/);
    expect(printed.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/503 Temporal does not answer .*\. Accepted tasks are safe; trying again\.$/),
      'Holdfast answers again.',
    ]);
  });

  test('the watch gives up if nothing answers for long', async () => {
    const holdfast = createHoldfastClient({ url: `http://127.0.0.1:${await findFreePort()}` });
    const notes: string[] = [];
    const task = { id: 'x', status: 'queued', attempt: 1 } as Task;
    const following = followTasks(new Map([['x', task]]), {
      holdfast,
      signal: AbortSignal.timeout(30_000),
      onChange: () => {},
      note: (text) => notes.push(text),
      patienceMs: 1_500,
    });
    await expect(following).rejects.toThrow(/^No answer for 1\.5 s\. The last error: .* cannot be reached/);
    expect(notes).toHaveLength(1);
  });
});

test('short ids are distinct, and the same id always gets the same one', () => {
  const shorten = createShortIds();
  expect(['o_n_aaaaaaaa1-1', 'o_n_aaaaaaaa1-2', 'o_n_b', 'p_n_b', 'o_n_aaaaaaaa1-1'].map(shorten)).toEqual([
    ...['aaaaaaaa', 'aaaaaaaa1', 'b', 'p_n_b', 'aaaaaaaa'],
  ]);
});
