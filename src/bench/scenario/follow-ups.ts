import type { ScenarioDocument } from './schema.ts';
import type { CaptureRule } from './steps.ts';
import { templateOf, type RequestTemplate } from './request.ts';
import type { Report } from '../../lib/yaml/issues.ts';

/** What a client does after a reply that did not decide: all of it belongs to one request, and its last reply counts. */
export interface FollowUps {
  /** Redirects that are followed at most, on the same address. */
  redirects: number;
  retry: RetryPlan | null;
  poll: PollPlan | null;
}

export interface RetryPlan {
  on: readonly ('busy' | 'rate_limited' | 'unavailable')[];
  times: number;
  delayMs: number;
  /** Wait as long as the reply says. */
  retryAfter: boolean;
}

export interface PollPlan {
  request: RequestTemplate;
  capture: Record<string, CaptureRule>;
  everyMs: number;
  /** From the first reply on; after it the request stays `queued`. */
  timeoutMs: number;
}

const DEFAULT_REDIRECTS = 5;

export function followUpsOf({ request, retry, poll }: ScenarioDocument, report: Report): FollowUps {
  const { followRedirects } = request;
  return {
    redirects: followRedirects === true ? DEFAULT_REDIRECTS : followRedirects === false ? 0 : followRedirects,
    retry: retry ? { on: retry.on, times: retry.times, delayMs: retry.delay, retryAfter: retry.retryAfter } : null,
    poll: poll
      ? {
          // Who may ask for a coupon may ask what became of it.
          request: templateOf(
            { ...poll, headers: { ...request.headers, ...poll.headers }, auth: poll.auth ?? request.auth, timeout: request.timeout },
            ['poll'],
            report,
          ),
          capture: poll.capture,
          everyMs: poll.every,
          timeoutMs: poll.timeout,
        }
      : null,
  };
}
