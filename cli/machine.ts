import { cpus } from 'node:os';

/** What a measurement was made on: `2 × AMD EPYC`. */
export const toMachine = () => `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}`;
