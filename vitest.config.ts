import { defineConfig } from 'vitest/config';

/** Each of them has more than 90 % of its lines covered, not only all together. */
const critical = [
  'src/policy.ts',
  'src/config/**',
  'src/planner/**',
  'src/temporal/**',
  'src/activities/**',
  'src/api/**',
];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Threads break Temporal's native module.
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      // Workflow code runs in a bundle in a vm, where v8 cannot see it: it is kept thin and has its own tests.
      include: critical,
      reporter: ['text', 'html'],
      thresholds: Object.fromEntries(critical.map((glob) => [glob, { lines: 90 }])),
    },
  },
});
