import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { findRefusal } from '../../src/loopback.ts';
import { toErrorJson } from './answer.ts';
import { toFaultLine } from './behaviour.ts';
import type { Ledger } from './ledger.ts';
import type { RuleInput, Rules } from './rules.ts';

const ledgerQuery = z.strictObject({
  taskKey: z.string().optional(),
  category: z.string().optional(),
  after: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .optional(),
});

const refuse = (c: Context, status: ContentfulStatusCode, message: string) =>
  c.json(toErrorJson(status, message, c.req.path), status);

const limit = bodyLimit({
  maxSize: 1_048_576,
  onError: (c) => refuse(c, 413, 'A rule must not be larger than 1 MiB.'),
});

/** Creates the routes under `/admin`: rules, ledger, health. */
export const createAdmin = (rules: Rules, ledger: Ledger) =>
  new Hono()
    .use(async (c, next) => {
      const refusal = findRefusal(c.req, { loopbackOnly: true });
      return refusal ? refuse(c, refusal.status, refusal.detail) : next();
    })
    .get('/admin/health', (c) => c.json({ status: 'ok' }))
    .get('/admin/rules', (c) => c.json({ items: rules.list() }))
    .post('/admin/rules', limit, async (c) => c.json({ id: rules.add((await c.req.json()) as RuleInput) }, 201))
    .delete('/admin/rules', (c) => {
      rules.clear();
      return c.body(null, 204);
    })
    .delete('/admin/rules/:id', (c) =>
      rules.remove(c.req.param('id')) ? c.body(null, 204) : refuse(c, 404, `No rule ${c.req.param('id')}.`),
    )
    .get('/admin/ledger', (c) => c.json(ledger.read(ledgerQuery.parse(c.req.query()))))
    .notFound((c) => refuse(c, 404, `Nothing at ${c.req.path}.`))
    .onError((error, c) => {
      if (error instanceof z.ZodError) return refuse(c, 422, toFaultLine(error));
      if (error instanceof SyntaxError) return refuse(c, 422, `The body is not JSON: ${error.message}`);
      return refuse(c, 500, error.message);
    });
