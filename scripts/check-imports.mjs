import { existsSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.mjs';

/**
 * Checks the direction of imports in the working directory. `npm run lint` runs this check. If dependency-cruiser's
 * parser does not know our version of TypeScript, it finds no modules but reports success. So fewer than
 * `fewestModules` modules are a failure too.
 */
const fewestModules = 300;
const folders = ['src', 'cli', 'local', 'proof', 'bench', 'scripts'].filter((folder) => existsSync(folder));

const { output, exitCode } = await cruise(folders, {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
  outputType: 'err',
});
console.log(String(output).trim());

const modules = Number(/([\d,]+) modules/.exec(String(output))?.[1]?.replaceAll(',', '') ?? 0);
if (modules < fewestModules)
  console.error(`Only ${modules} modules were read, fewer than ${fewestModules}: does the parser still work?`);
process.exitCode = exitCode > 0 || modules < fewestModules ? 1 : 0;
