import { activityInfo, log } from '@temporalio/activity';

/** A worker interceptor that logs each slice that fails. The attempts of its items have lines of their own. */
export const logSlices = () => ({
  inbound: {
    async execute<I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      try {
        return await next(input);
      } catch (error) {
        const { workflowExecution, activityId } = activityInfo();
        const { message = String(error) } = error as Partial<Error>;
        log.warn(`Slice ${workflowExecution?.workflowId} ${activityId} is lost: ${message}`);
        throw error;
      }
    },
  },
});
