// Made by `npm run generate:types` from the document of GET /openapi.json; a test holds the two together.

export interface Operations {
  /**
   * Whether this process lives
   */
  readHealth: {
    output: {
      status: 'ok';
    };
  };
  /**
   * Whether tasks would run: Temporal answers and a worker polled lately
   */
  readReadiness: {
    output: {
      status: 'ready';
    };
  };
  /**
   * Every problem that this API answers
   */
  listProblemTypes: {
    output: {
      items: ProblemType[];
    };
  };
  /**
   * What a problem means, where its `type` leads
   */
  readProblemType: {
    output: ProblemType;
  };
  /**
   * This document
   */
  readDocument: {
    output: {
      openapi: string;
      [k: string]: unknown;
    };
  };
  /**
   * Fetch a random joke from the upstream
   */
  submitFetchJoke: {
    query: {
      /**
       * Seconds until the first attempt, as plain decimals; the task is `scheduled` until then
       */
      delay?: number;
      /**
       * Seconds to wait for the task to end, as plain decimals
       */
      wait?: number;
    };
    input: {
      /**
       * Only jokes of this category
       */
      category?: string;
    };
    output: Task;
  };
  /**
   * List tasks: open ones first by start, then the latest finished
   */
  listTasks: {
    query: {
      name?: 'fetch-joke';
      status?:
        'scheduled' | 'queued' | 'running' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled' | 'open';
      limit?: number;
      /**
       * `nextCursor` of the page before
       */
      cursor?: string;
    };
    output: TaskList;
  };
  /**
   * Read a task; works with no worker alive
   */
  readTask: {
    output: Task;
  };
  /**
   * Cancel a task; a running attempt is told with its next heartbeat
   */
  cancelTask: {
    output: Task;
  };
  /**
   * Submit the input of a finished task again, under the policy of today
   */
  rerunTask: {
    query: {
      /**
       * Seconds to wait for the task to end, as plain decimals
       */
      wait?: number;
    };
    output: Task;
  };
  /**
   * Fetch a random joke from the upstream, up to 10000 times
   */
  submitFetchJokeBatch: {
    input:
      | {
          /**
           * @minItems 1
           * @maxItems 10000
           */
          items: [
            {
              /**
               * Only jokes of this category
               */
              category?: string;
            },
            ...{
              /**
               * Only jokes of this category
               */
              category?: string;
            }[]
          ];
        }
      | {
          count: number;
          input?: {
            /**
             * Only jokes of this category
             */
            category?: string;
          };
        };
    output: Batch;
  };
  /**
   * Read a batch and a page of its items; works with no worker alive
   */
  readBatch: {
    query: {
      limit?: number;
      /**
       * `nextCursor` of the page before
       */
      cursor?: string;
      /**
       * Only items of this status
       */
      status?: 'queued' | 'running' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
    };
    output: Batch;
  };
  /**
   * Cancel a batch: what waits ends at once, a running attempt is told with its next heartbeat
   */
  cancelBatch: {
    output: Batch;
  };
  /**
   * The timeline that a failing task would follow, and what is odd about the policy
   */
  planRetries: {
    query: {
      /**
       * Attempts that fail before one succeeds; by default all of them do
       */
      failures?: number;
      /**
       * Instead of the server's own: attempts in all, the first included
       */
      maxAttempts?: number;
      /**
       * Instead of the server's own: seconds before the second attempt
       */
      baseDelay?: number;
      /**
       * Instead of the server's own: each further wait is so many times the one before
       */
      backoffCoefficient?: number;
      /**
       * Instead of the server's own: seconds that no wait exceeds
       */
      maxDelay?: number;
      /**
       * Instead of the server's own: each wait is lengthened by up to this share of itself
       */
      jitter?: number;
      /**
       * Instead of the server's own: seconds for one attempt
       */
      jobTimeout?: number;
      /**
       * Instead of the server's own: seconds without a heartbeat until an attempt counts as stalled; not given, a default (10 or a third of the job timeout) follows the job timeout
       */
      heartbeatTimeout?: number;
    };
    output: RetryPlan;
  };
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ProblemType".
 */
export interface ProblemType {
  type: string;
  title: string;
  status: number;
  /**
   * What it means and what to do
   */
  description: string;
  /**
   * Whether the same request may succeed later
   */
  retryable: boolean;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Task".
 */
export interface Task {
  id: string;
  name: 'fetch-joke';
  input: {
    /**
     * Only jokes of this category
     */
    category?: string;
  };
  status: 'scheduled' | 'queued' | 'running' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
  /**
   * While retrying, the coming one
   */
  attempt: number;
  maxAttempts: number;
  /**
   * While retrying
   */
  nextAttemptAt?: string;
  lastFailure?: Failure;
  /**
   * Of a completed task
   */
  output?: {
    id: string;
    joke: string;
    url: string;
  };
  /**
   * Of a failed task
   */
  failure?: {
    type: string;
    message: string;
    upstreamStatus?: number;
    reason: 'attempts-exhausted' | 'non-retryable' | 'timed-out' | 'terminated';
  };
  submittedAt: string;
  finishedAt?: string;
  rerunOf?: string;
  links: {
    self: string;
    cancel?: string;
    events?: string;
    temporal?: string;
  };
}
/**
 * Of the latest failed attempt
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Failure".
 */
export interface Failure {
  type: string;
  message: string;
  upstreamStatus?: number;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TaskList".
 */
export interface TaskList {
  items: TaskSummary[];
  nextCursor: string | null;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TaskSummary".
 */
export interface TaskSummary {
  id: string;
  name: 'fetch-joke';
  status:
    'scheduled' | 'queued' | 'running' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled' | 'open';
  input: {
    /**
     * Only jokes of this category
     */
    category?: string;
  };
  submittedAt: string;
  finishedAt?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "Batch".
 */
export interface Batch {
  id: string;
  name: 'fetch-joke';
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  /**
   * The items that have not ended, the waiting ones included
   */
  running: number;
  /**
   * `completed`: every item has ended, each in its own way; `failed`: an operator ended the batch
   */
  status: 'running' | 'completed' | 'cancelled' | 'failed';
  submittedAt: string;
  finishedAt?: string;
  /**
   * A page of the items, in order
   */
  items?: BatchItem[];
  /**
   * Leads to the next page; missing on the last
   */
  nextCursor?: string;
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "BatchItem".
 */
export interface BatchItem {
  /**
   * Its place in the submitted `items`, from 0
   */
  index: number;
  status: 'queued' | 'running' | 'retrying' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
  /**
   * Attempts that were begun; an item that has just come back to a chunk whose worker died shows `running` and 1 until another has taken over, 5 s at most
   */
  attempts: number;
  /**
   * While retrying
   */
  nextAttemptAt?: string;
  lastFailure?: Failure;
  /**
   * Of a completed item
   */
  output?: {
    id: string;
    joke: string;
    url: string;
  };
  /**
   * Of a failed item
   */
  failure?: {
    type: string;
    message: string;
    upstreamStatus?: number;
    reason: 'attempts-exhausted' | 'non-retryable' | 'timed-out' | 'terminated';
  };
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RetryPlan".
 */
export interface RetryPlan {
  /**
   * In the words of the environment variables, durations in seconds
   */
  policy: {
    /**
     * attempts in all, the first included
     */
    maxAttempts: number;
    /**
     * seconds before the second attempt
     */
    baseDelay: number;
    /**
     * each further wait is so many times the one before
     */
    backoffCoefficient: number;
    /**
     * seconds that no wait exceeds
     */
    maxDelay: number;
    /**
     * each wait is lengthened by up to this share of itself
     */
    jitter: number;
    /**
     * seconds for one attempt
     */
    jobTimeout: number;
    /**
     * seconds without a heartbeat until an attempt counts as stalled; not given, a default (10 or a third of the job timeout) follows the job timeout
     */
    heartbeatTimeout: number;
    nonRetryableErrors: (
      | 'UpstreamUnavailable'
      | 'UpstreamRateLimited'
      | 'UpstreamUnreachable'
      | 'UpstreamTimeout'
      | 'TruncatedResponse'
      | 'WorkerShutdown'
      | 'UpstreamRejected'
      | 'UpstreamRedirected'
      | 'InvalidResponse'
      | 'ResponseTooLarge'
      | 'TemporalTimeout:StartToClose'
      | 'TemporalTimeout:Heartbeat'
    )[];
  };
  /**
   * The first 100 at most
   *
   * @maxItems 100
   */
  attempts: {
    attempt: number;
    /**
     * After the submission; with jitter at the earliest
     */
    startSeconds: number;
    latestStartSeconds: number;
    outcome: 'fails' | 'succeeds';
    /**
     * Until the next attempt; with jitter at least. Null after the last one
     */
    waitSeconds: number | null;
    longestWaitSeconds: number | null;
    /**
     * Whether the wait, with jitter the longest, is `maxDelay`
     */
    capBinds: boolean;
  }[];
  /**
   * How many more there are; every sum includes them
   */
  attemptsNotListed: number;
  end: {
    status: 'completed' | 'failed';
    reason?: 'attempts-exhausted';
    attempt: number;
    afterSeconds: number;
    latestAfterSeconds: number;
  };
  /**
   * From the first attempt to the start of the last one, each failing at once
   */
  survivedOutageSeconds: number;
  /**
   * Every attempt runs into the job timeout, every wait is the longest; a Retry-After may lengthen waits further, up to `maxDelay`
   */
  worstWallTimeSeconds: number;
  /**
   * Heartbeat timeout and the wait: after the death of a worker in the first attempt, and in any
   */
  deadWorkerRetry: {
    firstAttemptSeconds: number;
    worstSeconds: number;
  } | null;
  /**
   * Tasks that are submitted together and fail every time; the same random numbers in every plan
   */
  herd: {
    tasks: number;
    totalCalls: number;
    /**
     * Of each task, for the peaks; the busiest second is early
     */
    attemptsPlayed: number;
    /**
     * In any one second, the first calls left out: they all come at one moment
     */
    peakRetriesPerSecond: {
      policy: number;
      withoutJitter: number;
      withFullJitter: number;
    };
  };
  warnings: PolicyWarning[];
}
/**
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "PolicyWarning".
 */
export interface PolicyWarning {
  code:
    | 'single-attempt'
    | 'retries-timeouts-off'
    | 'short-outage'
    | 'constant-backoff'
    | 'no-jitter'
    | 'cap-unreachable'
    | 'heartbeat-slow'
    | 'grace-below-job-timeout';
  message: string;
  suggestion: string;
}
/**
 * The syntax, a header, a path or a query parameter is wrong; unknown and repeated parameters count as wrong. `errors` points at each fault where it can. Correct the request; sent again as it is, it fails again.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "BadRequestProblem".
 */
export interface BadRequestProblem {
  type: '/problems/bad-request';
  title: 'The request is malformed';
  status: 400;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  errors?: {
    /**
     * A JSON pointer (RFC 6901) in its fragment form
     */
    pointer: string;
    detail: string;
  }[];
}
/**
 * The path exists, but not with this method. `Allow` names the methods that it has.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MethodNotAllowedProblem".
 */
export interface MethodNotAllowedProblem {
  type: '/problems/method-not-allowed';
  title: 'The resource does not know this method';
  status: 405;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * Headers or body did not arrive in time, so nothing was started. Send the request again, over a faster or steadier connection.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RequestTimeoutProblem".
 */
export interface RequestTimeoutProblem {
  type: '/problems/request-timeout';
  title: 'The request did not arrive in time';
  status: 408;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
}
/**
 * The body has more bytes than are taken. Nothing was started. Send less in one request.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "BodyTooLargeProblem".
 */
export interface BodyTooLargeProblem {
  type: '/problems/body-too-large';
  title: 'The body is too large';
  status: 413;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * The URL has more than 8,192 characters. Shorten the query.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UriTooLongProblem".
 */
export interface UriTooLongProblem {
  type: '/problems/uri-too-long';
  title: 'The URL is too long';
  status: 414;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * Without API keys this API answers only to `localhost` and the addresses of loopback, so that no web page can reach it through DNS. Use such a name in the URL, or set `API_KEYS`.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "MisdirectedRequestProblem".
 */
export interface MisdirectedRequestProblem {
  type: '/problems/misdirected-request';
  title: 'This host name is not served here';
  status: 421;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * The header fields have more than 16 KiB together. Send fewer or shorter ones, cookies above all.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "HeadersTooLargeProblem".
 */
export interface HeadersTooLargeProblem {
  type: '/problems/headers-too-large';
  title: 'The header fields are too large';
  status: 431;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * Something that nobody foresaw; the log has it under the `X-Request-Id` of the answer. Trying again may help. If `outcome` is `unknown`, look at the list of tasks first: the task may have started.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "InternalErrorProblem".
 */
export interface InternalErrorProblem {
  type: '/problems/internal-error';
  title: 'The API failed';
  status: 500;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
  /**
   * What became of a call that starts something
   */
  outcome?: 'not-started' | 'unknown';
}
/**
 * Temporal answers, but no worker has asked for work lately: tasks are accepted and wait. Start a worker, or ask again after `Retry-After` seconds.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NotReadyProblem".
 */
export interface NotReadyProblem {
  type: '/problems/not-ready';
  title: 'Not ready to run tasks';
  status: 503;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
}
/**
 * The Temporal server behind this API does not answer. Try again after `Retry-After` seconds. `outcome` says of a submission whether the task may have started (`unknown`) or certainly has not (`not-started`).
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TemporalUnavailableProblem".
 */
export interface TemporalUnavailableProblem {
  type: '/problems/temporal-unavailable';
  title: 'Temporal does not answer';
  status: 503;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
  /**
   * What became of a call that starts something
   */
  outcome?: 'not-started' | 'unknown';
}
/**
 * No such path, or no task of this id that your key may see. Tasks of other keys look the same as none, and finished tasks are forgotten after the retention time.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "NotFoundProblem".
 */
export interface NotFoundProblem {
  type: '/problems/not-found';
  title: 'There is no such thing';
  status: 404;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * This Holdfast has API keys. Send `Authorization: Bearer <secret>` with the secret of one of them; a secret in the query string is not read.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UnauthorizedProblem".
 */
export interface UnauthorizedProblem {
  type: '/problems/unauthorized';
  title: 'A valid API key is missing';
  status: 401;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * A browser sent this on behalf of a page of another origin. State-changing calls are taken only from pages of this API’s own origin and from clients that are no browsers.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "ForbiddenProblem".
 */
export interface ForbiddenProblem {
  type: '/problems/forbidden';
  title: 'The request comes from a foreign web page';
  status: 403;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * A body must be JSON, sent as `Content-Type: application/json` without `Content-Encoding`. No body at all needs no content type.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "UnsupportedMediaTypeProblem".
 */
export interface UnsupportedMediaTypeProblem {
  type: '/problems/unsupported-media-type';
  title: 'The body is not plain JSON';
  status: 415;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * The body is JSON, but does not fit its schema. `errors` has a JSON pointer to each fault. Nothing was started. Correct the body.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "InvalidInputProblem".
 */
export interface InvalidInputProblem {
  type: '/problems/invalid-input';
  title: 'The input does not fit its schema';
  status: 422;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  errors?: {
    /**
     * A JSON pointer (RFC 6901) in its fragment form
     */
    pointer: string;
    detail: string;
  }[];
}
/**
 * The key was sent before with another body, delay or task; that first submission stands untouched. Repeat a call exactly as it was, or choose a new key for a new task.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "IdempotencyMismatchProblem".
 */
export interface IdempotencyMismatchProblem {
  type: '/problems/idempotency-mismatch';
  title: 'The Idempotency-Key belongs to another submission';
  status: 422;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * This key, or without keys this address, has submitted as many tasks this minute as `RATE_LIMIT` allows. Nothing was started. Try again after `Retry-After` seconds; the header `RateLimit` of each answer tells how many submissions are left.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "RateLimitedProblem".
 */
export interface RateLimitedProblem {
  type: '/problems/rate-limited';
  title: 'Too many submissions';
  status: 429;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
  outcome: 'not-started';
}
/**
 * As many tasks are being started at this moment as `MAX_IN_FLIGHT` allows, mostly because Temporal is slow to answer. Nothing was started. Try again after `Retry-After` seconds.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "OverloadedProblem".
 */
export interface OverloadedProblem {
  type: '/problems/overloaded';
  title: 'Too many tasks are being started';
  status: 503;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
  outcome: 'not-started';
}
/**
 * The task has completed or failed, so it cannot be cancelled any more. Read it to see how it ended.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "AlreadyFinishedProblem".
 */
export interface AlreadyFinishedProblem {
  type: '/problems/already-finished';
  title: 'The task has already ended';
  status: 409;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * Only a task that has ended can be run again. Wait for its end, or cancel it first.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "StillOpenProblem".
 */
export interface StillOpenProblem {
  type: '/problems/still-open';
  title: 'The task has not ended yet';
  status: 409;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
}
/**
 * This process holds as many event streams open as it can. Read the task now and then instead, or try again after `Retry-After`.
 *
 * This interface was referenced by `Operations`'s JSON-Schema
 * via the `definition` "TooManyStreamsProblem".
 */
export interface TooManyStreamsProblem {
  type: '/problems/too-many-streams';
  title: 'Too many event streams are open';
  status: 503;
  /**
   * What is wrong with this request
   */
  detail: string;
  /**
   * The path of the call
   */
  instance: string;
  /**
   * The same request may succeed later
   */
  retryable: true;
}
