import { defineConfig } from 'vitest/config';

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
      include: ['src/policy.ts', 'src/config.ts', 'src/activities/**', 'src/api/**'],
      reporter: ['text', 'html'],
      thresholds: { perFile: false, lines: 90 },
    },
  },
});
