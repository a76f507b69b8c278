import { createHash } from 'node:crypto';
import type { z } from 'zod';

export const sha256 = (text: string) => createHash('sha256').update(text).digest();

export type ApiKey = { owner: string; secretHash: Buffer };

const entryPattern = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9._~+/=|-]+)$/;

/**
 * Parses a text like `name:secret,name:old|new` into one `ApiKey` per secret. Hashes the secrets, so the configuration
 * contains no secret. A fault gives an entry's place in the text, not its name: faults are logged, and a user may have
 * swapped name and secret.
 */
export function toApiKeys(text: string, context: z.RefinementCtx): ApiKey[] {
  const fault = (message: string) => context.addIssue({ code: 'custom', message });
  const owners = new Set<string>();
  const keys = text.split(',').flatMap((entry, index) => {
    const place = `entry ${index + 1}`;
    const [, owner, secrets] = entryPattern.exec(entry.trim()) ?? [];
    if (!owner || !secrets) {
      fault(`${place} is not name:secret (name: letters, digits, ._-; secret: letters, digits, ._~+/=-)`);
      return [];
    }
    if (owners.has(owner)) fault(`${place} has the name of an earlier one; to rotate a secret write name:old|new`);
    owners.add(owner);
    if (secrets.split('|').some((secret) => secret.length < 32)) fault(`${place} has a secret under 32 characters`);
    return secrets.split('|').map((secret) => ({ owner, secretHash: sha256(secret) }));
  });
  if (new Set(keys.map((key) => key.secretHash.toString('hex'))).size < keys.length) fault('has the same secret twice');
  return keys;
}

/** Parses a comma-separated list of names of API keys. */
export function toOperators(text: string, context: z.RefinementCtx): string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const [index, name] of names.entries())
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
      context.addIssue({
        code: 'custom',
        message: `entry ${index + 1} is not the name of a key (letters, digits, ._-)`,
      });
  return names;
}
