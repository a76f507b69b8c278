import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readDocument, toTypes } from '../../cli/generate-types/to-types.ts';

const kept = readFileSync(new URL('../../cli/client/api-types.ts', import.meta.url), 'utf8');

// Seen to fail when a field was added to the task's schema and the types were not generated again.
test('the types of our clients are those of the document: else run npm run generate:types', async () => {
  expect(await toTypes(await readDocument())).toBe(kept);
});

test('a change of the document is a change of the types', async () => {
  const { components, ...document } = await readDocument();
  const task = components.schemas.Task as { properties: object };
  const changed = { ...task, properties: { ...task.properties, colour: { type: 'string' } } };
  const types = await toTypes({ ...document, components: { schemas: { ...components.schemas, Task: changed } } });
  expect(types).toContain('colour?: string;');
  expect(kept).not.toContain('colour');
});

test('the types have every component and every operation that takes or gives JSON', async () => {
  const { components } = await readDocument();
  for (const name of Object.keys(components.schemas))
    expect(kept).toMatch(new RegExp(`^export (interface|type) ${name} `, 'm'));
  for (const id of ['submitFetchJoke', 'readTask', 'listTasks', 'cancelTask', 'rerunTask', 'planRetries'])
    expect(kept).toMatch(new RegExp(`^  ${id}: \\{`, 'm'));
});
