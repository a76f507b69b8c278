/** Now in epoch milliseconds with decimals, on a clock that never goes back: comparable between the processes of one machine. */
export const nowMs = () => performance.timeOrigin + performance.now();
