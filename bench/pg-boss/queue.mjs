export const queue = 'fetch-joke';

/** Five attempts with doubling waits from 2 s to at most 300 s. pg-boss adds a random part of up to the same length. */
export const queueOptions = { retryLimit: 4, retryDelay: 2, retryBackoff: true, retryDelayMax: 300 };
