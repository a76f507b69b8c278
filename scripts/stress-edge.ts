import { createCommand, runCommand } from '../cli/command.ts';
import { withStack } from '../local/stack/with-stack.ts';
import { runSuite } from '../proof/checks/run-suite.ts';
import { edgeChecks } from '../proof/edge/checks.ts';

createCommand('stress:edge', 'Starts a stack and tests whether idle and slow connections slow a client down.').parse();

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  return await withStack({ say, signal }, {}, async ({ url }) => {
    const { allPassed } = await runSuite(
      {
        title: 'EDGE STRESS TEST SUITE',
        part: 'STRESS TEST',
        noun: 'tests',
        allPassed: 'ALL TESTS PASSED! Idle and slow connections do not slow other clients down.',
        advice: 'The limits of connections are in src/listen.ts and src/api/http/limits.ts.',
        checks: edgeChecks,
      },
      { context: url, say, signal },
    );
    return allPassed ? 0 : 1;
  });
});
