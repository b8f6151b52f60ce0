import type { FastifyReply } from 'fastify';
import { HTTP_STATUS } from '../campaign/http-status.ts';

/**
 * Every refusal and failure that the endpoint can answer with, by its stable `code`. Clients match on the code; title and
 * detail are for people.
 */
const PROBLEMS = {
  duplicate: { status: HTTP_STATUS.duplicate, title: 'Already requested' },
  sold_out: { status: HTTP_STATUS.sold_out, title: 'Sold out' },
  not_open: { status: HTTP_STATUS.not_open, title: 'Not open' },
  not_yet_open: { status: HTTP_STATUS.not_yet_open, title: 'Not yet open' },
  closed: { status: HTTP_STATUS.closed, title: 'Closed' },
  unknown_coupon: { status: HTTP_STATUS.unknown_coupon, title: 'Unknown coupon' },
  unavailable: { status: HTTP_STATUS.unavailable, title: 'Temporarily unavailable' },
  unknown: { status: 503, title: 'Outcome unknown' },
  not_requested: { status: 404, title: 'Not requested' },
  not_issued: { status: 404, title: 'Not issued' },
  already_used: { status: 409, title: 'Already used' },
  expired: { status: 410, title: 'Expired' },
  revoked: { status: 410, title: 'Revoked' },
  invalid_request: { status: 400, title: 'Invalid request' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  rate_limited: { status: 429, title: 'Too many requests' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'Request timeout' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  uri_too_long: { status: 414, title: 'URI too long' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  expectation_failed: { status: 417, title: 'Expectation failed' },
  headers_too_large: { status: 431, title: 'Headers too large' },
  internal_error: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457, with `code` and what else belongs to it as extension members. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  [member: string]: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Seconds after which a client may ask again; a coupon that is unavailable is looked at again once a second. */
const RETRY_AFTER_S = '1';

export function problem(code: ProblemCode, detail: string, members: Record<string, unknown> = {}): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:problem-type:coupon-cli:${code}`, title, status, detail, code, ...members };
}

/** As it goes over a bare socket, which is closed after it. */
export function bareProblem(document: Problem): string {
  const body = JSON.stringify(document);
  return `HTTP/1.1 ${document.status} ${document.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

export function sendProblem(reply: FastifyReply, code: ProblemCode, detail: string, members?: Record<string, unknown>): FastifyReply {
  if (PROBLEMS[code].status === 503) void reply.header('Retry-After', RETRY_AFTER_S);
  return reply
    .code(PROBLEMS[code].status)
    .type(PROBLEM_TYPE)
    .send(problem(code, detail, members));
}

/** The code for a status that Fastify chose by itself. */
export function codeOfStatus(status: number): ProblemCode {
  switch (status) {
    case 404:
      return 'not_found';
    case 405:
      return 'method_not_allowed';
    case 408:
      return 'request_timeout';
    case 413:
      return 'payload_too_large';
    case 414:
      return 'uri_too_long';
    case 415:
      return 'unsupported_media_type';
    case 431:
      return 'headers_too_large';
    default:
      return status >= 400 && status < 500 ? 'invalid_request' : 'internal_error';
  }
}

/** The problem responses of a route, one entry for each status; `members` are what a code adds to the document. */
export function problems(codes: readonly ProblemCode[], members: Record<string, object> = {}): Record<number, object> {
  const all: ProblemCode[] = [...codes, 'internal_error'];
  const statuses = new Set(all.map((code) => PROBLEMS[code].status));
  return Object.fromEntries(
    Array.from(statuses, (status) => [
      status,
      problemResponse(
        all.filter((code) => PROBLEMS[code].status === status),
        members,
      ),
    ]),
  );
}

/** What any request may meet before its route is asked. */
export const BEFORE_ROUTES: object = problemResponse(
  [
    'invalid_request',
    'request_timeout',
    'payload_too_large',
    'uri_too_long',
    'unsupported_media_type',
    'expectation_failed',
    'headers_too_large',
  ],
  {},
);

function problemResponse(codes: readonly ProblemCode[], members: Record<string, object>): object {
  const schema = {
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', enum: [...codes] },
      ...members,
    },
  };
  return { description: codes.map((code) => PROBLEMS[code].title).join('; '), content: { [PROBLEM_TYPE]: { schema } } };
}
