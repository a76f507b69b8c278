import { defineConfig } from 'vitest/config';

/** Each of these has more than 90 % of its lines covered, not only all of them together. */
const critical = [
  'src/policy.ts',
  'src/config/**',
  'src/planner/**',
  'src/temporal/**',
  'src/activities/**',
  'src/api/**',
];

const systemTests = 'test/**/*.system.test.ts';

const shared = {
  // Threads break Temporal's native module.
  pool: 'forks' as const,
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      // npm test
      {
        test: {
          ...shared,
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [systemTests],
          maxWorkers: 2,
          // Concurrent tests of a file wait for timers, not for the CPU.
          maxConcurrency: 10,
        },
      },
      // npm run test:system. One file at a time: these tests measure rates and times, and run commands that do.
      {
        test: {
          ...shared,
          name: 'system',
          include: [systemTests],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    reporters: ['default', './test/support/slowest-files.ts'],
    coverage: {
      provider: 'v8',
      // Workflow code runs in a bundle in a vm, where v8 cannot see it: it is kept thin and has its own tests.
      include: critical,
      reporter: ['text', 'html'],
      thresholds: Object.fromEntries(critical.map((glob) => [glob, { lines: 90 }])),
    },
  },
});
