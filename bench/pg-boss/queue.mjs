export const queue = 'fetch-joke';

/** Five attempts. Waits double from 2 s to at most 300 s. pg-boss adds to each wait a random part up to its length. */
export const queueOptions = { retryLimit: 4, retryDelay: 2, retryBackoff: true, retryDelayMax: 300 };
