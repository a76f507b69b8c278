import { isIPv6 } from 'node:net';

/** Returns the URL of an HTTP server. An IPv6 address gets brackets. */
export const toHttpUrl = (host: string, port: number) => `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
