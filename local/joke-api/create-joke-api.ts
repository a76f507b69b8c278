import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { z } from 'zod';
import { createAdmin } from './admin.ts';
import { toAnswer, toErrorAnswer } from './answer.ts';
import { type Behaviour, parseBehaviour, toFaultLine } from './behaviour.ts';
import { categories } from './jokes.ts';
import { createLedger, type LedgerEntry, type LedgerFilter, type Outcome } from './ledger.ts';
import { createRules, type Rules } from './rules.ts';
import { send } from './send.ts';

const header = (request: IncomingMessage, name: string) => request.headers[name]?.toString() ?? null;
const toAttempt = (text: string | null) => (text && /^\d{1,9}$/.test(text) ? Number(text) : null);

/** Returns the behaviour in the query or the header, if there is one. It wins over every rule and uses up none. */
const readBehaviour = (request: IncomingMessage, url: URL): Behaviour | undefined => {
  const text = url.searchParams.get('behave') ?? header(request, 'joke-api-behave');
  return text === null ? undefined : parseBehaviour(text);
};

/** Creates the API as a server that does not listen yet, with its rules and its ledger. */
export function createJokeApi() {
  const rules = createRules();
  const ledger = createLedger();
  const isKnown = (category: string) => categories.includes(category) || rules.names(category);

  async function tell(request: IncomingMessage, response: ServerResponse, url: URL) {
    const { method = 'GET' } = request;
    const path = url.pathname;
    const category = url.searchParams.get('category');
    const taskKey = header(request, 'idempotency-key');
    const attempt = toAttempt(header(request, 'holdfast-attempt'));
    const entry = ledger.open({ taskKey, attempt, category, method, path });
    const gone = new AbortController();
    let ending: Outcome = 'client-gone';
    let jokeId: string | undefined;
    const record = {
      status: (status: number) => Object.assign(entry, { status }),
      /** A hang ends when the client leaves. Every other outcome ends the request now. */
      ends: (outcome: Outcome) => {
        if (outcome === 'hung') ending = outcome;
        else ledger.end(entry, outcome);
      },
    };
    response.once('finish', () => ledger.end(entry, 'answered', jokeId));
    response.once('close', () => {
      ledger.end(entry, server.listening ? ending : 'closed');
      gone.abort();
    });

    const question = { method, path, category, origin: `http://${request.headers.host ?? 'localhost'}` };
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
  // Closing an idle connection just as a client uses it would look like a failing upstream. So the client closes it.
  server.keepAliveTimeout = 0;
  return { server, rules, ledger };
}

export type JokeApi = {
  /** Has no slash at the end, as a value for `API_BASE_URL`. */
  url: string;
  port: number;
  rules: Rules;
  /** Returns copies of the entries, oldest first. */
  ledger(filter?: LedgerFilter): LedgerEntry[];
  /** Ends every connection, also hanging and endless ones. Calling it twice is fine. */
  close(): Promise<void>;
};

async function listen(server: Server, port: number, host: string) {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * Starts the API; port 0 takes any free port. Keep it on loopback, because anyone who can reach it can script it.
 * @throws the system's error (`code: 'EADDRINUSE'`, …) if it cannot listen there.
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
    url: `http://${host}:${actualPort}`,
    port: actualPort,
    rules,
    ledger: (filter) => ledger.read(filter).items,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
