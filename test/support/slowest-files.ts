import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const shown = 10;

/** Prints the slowest test files. A file's time includes starting its worker, imports, hooks and tests. */
export default class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => {
      const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } =
        module.diagnostic();
      const ms = environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration;
      return { path: relative(process.cwd(), module.moduleId), ms };
    });
    if (files.length < shown) return;
    console.log(`\nThe ${shown} slowest of ${files.length} test files:`);
    for (const { path, ms } of files.sort((a, b) => b.ms - a.ms).slice(0, shown))
      console.log(`${(ms / 1_000).toFixed(1).padStart(7)} s  ${path}`);
  }
}
