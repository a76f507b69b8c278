import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { z } from 'zod';
import { toHttpUrl } from '../../src/http-url.ts';
import { createAdmin } from './admin.ts';
import { toAnswer, toErrorAnswer } from './answer.ts';
import { type Behaviour, parseBehaviour, toFaultLine } from './behaviour.ts';
import { categories } from './jokes.ts';
import { createLedger, type LedgerEntry, type LedgerFilter, type Outcome } from './ledger.ts';
import { createRules, type Rules } from './rules.ts';
import { send } from './send.ts';

const header = (request: IncomingMessage, name: string) => request.headers[name]?.toString() ?? null;
const toAttempt = (text: string | null) => (text && /^\d{1,9}$/.test(text) ? Number(text) : null);

/**
 * Returns the behaviour in the query, or else the one in the header. If the request has either, no rule is tried, and
 * no behaviour of a rule is used up.
 */
const readBehaviour = (request: IncomingMessage, url: URL): Behaviour | undefined => {
  const text = url.searchParams.get('behave') ?? header(request, 'joke-api-behave');
  return text === null ? undefined : parseBehaviour(text);
};

/** Creates the joke API with its rules and its ledger. The server does not listen yet. */
export function createJokeApi() {
  const rules = createRules();
  const ledger = createLedger();
  /** The attempts whose latest call was reset before the headers. */
  const resetCalls = new Set<string>();
  const isKnown = (category: string) => categories.includes(category) || rules.names(category);

  async function tell(request: IncomingMessage, response: ServerResponse, url: URL) {
    const { method = 'GET' } = request;
    const path = url.pathname;
    const category = url.searchParams.get('category');
    const taskKey = header(request, 'idempotency-key');
    const attempt = toAttempt(header(request, 'holdfast-attempt'));
    // A client may repeat a reset GET at once (RFC 9112 section 9.3.1). A scripted reset must fail the whole attempt.
    const call = `${taskKey} ${attempt}`;
    if (resetCalls.delete(call)) return void request.socket.resetAndDestroy();
    const entry = ledger.open({ taskKey, attempt, category, method, path });
    const gone = new AbortController();
    let ending: Outcome = 'client-gone';
    let jokeId: string | undefined;
    const record = {
      status: (status: number) => Object.assign(entry, { status }),
      /** Records an outcome at once. Only `hung` is recorded later, when the client closes the connection. */
      ends: (outcome: Outcome) => {
        if (outcome === 'hung') ending = outcome;
        else ledger.end(entry, outcome);
        if (outcome === 'reset' && entry.status === null && taskKey && attempt) resetCalls.add(call);
      },
    };
    response.once('finish', () => ledger.end(entry, 'answered', jokeId));
    response.once('close', () => {
      ledger.end(entry, server.listening ? ending : 'closed');
      gone.abort();
    });

    const query = url.searchParams.get('query');
    const question = { method, path, category, query, origin: `http://${request.headers.host ?? 'localhost'}` };
    try {
      const behaviour = readBehaviour(request, url) ?? rules.next(entry);
      const answer = toAnswer(behaviour, question, isKnown);
      jokeId = answer.jokeId;
      await send(response, answer, behaviour, record, gone.signal);
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) return void response.destroy();
      const isBadInput = error instanceof z.ZodError || error instanceof SyntaxError;
      const fault = error instanceof z.ZodError ? toFaultLine(error) : String(error);
      const refusal = toErrorAnswer(isBadInput ? 400 : 500, isBadInput ? `behave: ${fault}` : fault, path);
      response.writeHead(refusal.status, refusal.headers).end(refusal.body);
      record.status(refusal.status);
    }
  }

  const admin = getRequestListener(createAdmin(rules, ledger).fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => {
    const address = `http://joke-api${request.url}`;
    if (!request.url?.startsWith('/') || !URL.canParse(address)) return void response.writeHead(400).end();
    const url = new URL(address);
    return url.pathname.startsWith('/jokes/') ? tell(request, response, url) : admin(request, response);
  });
  // Never close an idle connection: if a client sent a request at that moment, the upstream would seem to fail.
  server.keepAliveTimeout = 0;
  return { server, rules, ledger };
}

export type JokeApi = {
  /** The base URL, without a slash at the end. It can be used as `API_BASE_URL`. */
  url: string;
  port: number;
  rules: Rules;
  /** Returns copies of the entries, oldest first. */
  ledger(filter?: LedgerFilter): LedgerEntry[];
  /** Stops the server and ends every connection, even hanging and endless ones. May be called more than once. */
  close(): Promise<void>;
};

async function listen(server: Server, port: number, host: string) {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * Starts the joke API. Port 0 takes any free port. Use a loopback `host`: anyone who can reach the API can script it.
 * @throws {Error} the system's error (`code: 'EADDRINUSE'`, for example) if the API cannot listen on that port.
 */
export async function startJokeApi({ port = 0, host = '127.0.0.1' } = {}): Promise<JokeApi> {
  const { server, rules, ledger } = createJokeApi();
  const actualPort = await listen(server, port, host);
  let closed: Promise<void> | undefined;
  const close = async () => {
    const ended = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await ended;
  };
  return {
    url: toHttpUrl(host, actualPort),
    port: actualPort,
    rules,
    ledger: (filter) => ledger.read(filter).items,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
