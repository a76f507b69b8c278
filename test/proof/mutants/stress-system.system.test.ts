import { describe, expect, test } from 'vitest';
import { runMutant } from '../../support/mutant.ts';
import { systemMutants } from './stress-system.ts';

describe.each([
  { how: 'alone', concurrent: false },
  { how: 'two at a time', concurrent: true },
])('$how:', ({ concurrent }) => {
  test.each(systemMutants.filter(({ alone = false }) => alone !== concurrent))(
    'stress:system check $check fails when $name',
    { concurrent, timeout: 300_000 },
    async ({ check, file, from, to, says }) => {
      const mutation = { file, from, to };
      const args = ['--quick', '--only', String(check)];
      const { exitCode, output } = await runMutant({ ...mutation, command: 'stress:system', args });
      expect(output).toMatch(/^❌ FAILED: /m);
      expect(output).toMatch(says);
      expect(output).toContain('Total: 0/1 tests passed');
      expect(exitCode).toBe(1);
    },
  );
});
