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
  // An idle connection is closed after this time, whatever the upstream's Keep-Alive header says. Balancers and
  // firewalls forget idle connections without a word, and a request on such a connection gets no answer.
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 4_000,
};

const createPool = (origin: string | URL, options: object) =>
  new Pool(origin, { ...options, ...limits, factory: createClient });

/**
 * Creates what sends our HTTP calls: through the proxy that applies, and directly to loopback. It has no blocked ports.
 * Idle connections are kept for 4 s.
 */
export const createDispatcher = ({ httpProxy, httpsProxy, noProxy }: Proxies = noProxies): Dispatcher =>
  new EnvHttpProxyAgent({
    ...limits,
    connect,
    httpProxy,
    httpsProxy,
    noProxy: noProxy === '*' ? '*' : `${noProxy},localhost,127.0.0.1,[::1]`,
    // Many proxies allow CONNECT only to port 443, so a call over plain http names the whole URL instead.
    proxyTunnel: false,
    // undici itself connects to the proxy and through it. It would give up after 10 s, and an address after 250 ms.
    proxyTls: { timeout: 0, autoSelectFamilyAttemptTimeout: 5_000 },
    requestTls: { timeout: 0 },
    factory: createPool,
  });

/** Calls this machine and other places that need no proxy. */
export const direct = createDispatcher();
