import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The path of the dynamic configuration of every Temporal server that this project starts. */
export const dynamicConfigFile = fileURLToPath(new URL('../../deploy/temporal-dynamic-config.yaml', import.meta.url));

/** Returns the dynamic configuration as flags of `temporal server start-dev`, which reads no such file. */
export function toDynamicConfigFlags(): string[] {
  const settings: Record<string, { value: unknown }[]> = parse(readFileSync(dynamicConfigFile, 'utf8'));
  return Object.entries(settings).flatMap(([name, values]) =>
    values.flatMap(({ value }) => ['--dynamic-config-value', `${name}=${JSON.stringify(value)}`]),
  );
}
