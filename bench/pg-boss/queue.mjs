export const queue = 'fetch-joke';

/** Five attempts, waits from 2 s doubling (pg-boss adds a random part of up to the same again), at most 300 s. */
export const queueOptions = { retryLimit: 4, retryDelay: 2, retryBackoff: true, retryDelayMax: 300 };
