import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { createClient } from './client.ts';
import { connect } from './connect.ts';

/** HTTP proxies, and the hosts that are called without one. An empty text means none. */
export type Proxies = { httpProxy: string; httpsProxy: string; noProxy: string };

const noProxies: Proxies = { httpProxy: '', httpsProxy: '', noProxy: '' };

export const maximumHeaderBytes = 16 * 1024;

/** undici's own limits of 300 s are off, because each call has its own deadline. */
const limits = {
  headersTimeout: 0,
  bodyTimeout: 0,
  maxHeaderSize: maximumHeaderBytes,
  // An idle connection is closed after this time, whatever the upstream's Keep-Alive header says. Load balancers and
  // firewalls drop idle connections silently. A request on such a connection gets no answer.
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 4_000,
};

const createPool = (origin: string | URL, options: object) =>
  new Pool(origin, { ...options, ...limits, factory: createClient });

/**
 * Creates the dispatcher of our HTTP calls. It uses the proxies, calls loopback directly, and blocks no port. It keeps
 * idle connections for 4 s.
 */
export const createDispatcher = ({ httpProxy, httpsProxy, noProxy }: Proxies = noProxies): Dispatcher =>
  new EnvHttpProxyAgent({
    ...limits,
    connect,
    httpProxy,
    httpsProxy,
    noProxy: noProxy === '*' ? '*' : `${noProxy},localhost,127.0.0.1,[::1]`,
    // Many proxies allow CONNECT only to port 443. So a plain HTTP call sends the absolute URL to the proxy.
    proxyTunnel: false,
    // undici itself connects to a proxy. By default it abandons a connection after 10 s, and an address after 250 ms.
    proxyTls: { timeout: 0, autoSelectFamilyAttemptTimeout: 5_000 },
    requestTls: { timeout: 0 },
    factory: createPool,
  });

/** A dispatcher without proxies, for calls on this machine. */
export const direct = createDispatcher();
