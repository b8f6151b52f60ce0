/** The sentences for the codes of a bench report. */
import type { Note, Rounds } from './report.ts';
import type { CheckName, CheckResult, Reason } from '../checks/integrity.ts';
import { figure, number, plural } from '../../lib/text/figures.ts';

export const CHECK_WORDS: Record<CheckName, string> = {
  issued_within_total: 'never more issued than there are',
  one_per_user: 'one coupon for each user',
  accepted_are_issued: 'every accepted user has a coupon',
  issued_were_accepted: 'no other user has one',
  sold_out_when_gone: 'sold out only when all was gone',
  first_come_first_served: 'first come, first served',
  stock_adds_up: 'the stock adds up',
};

/** What a check is about, in a scenario where one user may have so many coupons. */
export function checkText(check: CheckName, { perUser = 1 }: { perUser?: number | null }): string {
  if (check !== 'one_per_user' || perUser === 1) return CHECK_WORDS[check];
  return perUser === null ? 'no coupon issued twice' : `at most ${perUser} coupons for each user`;
}

type Words = (result: CheckResult) => string;

const users = ({ count }: CheckResult): string => plural(count, 'user');
const fact = ({ facts }: CheckResult, name: string): string => asText(facts[name]);

/** A figure as all figures are written; a text as it is. */
function asText(value: number | string | undefined): string {
  return typeof value === 'number' ? (Number.isInteger(value) ? number(value) : figure(value)) : (value ?? '?');
}

const oftenThan = ({ facts }: CheckResult): string => ((facts['limit'] ?? 1) > 1 ? `more than ${facts['limit']} times` : 'twice');

const REASON_WORDS: Record<Reason, Words> = {
  LEDGER_OVER_TOTAL: (result) => `the ledger has ${fact(result, 'issued')} issued coupons of ${fact(result, 'total')}`,
  LEDGER_COUNTER_WRONG: (result) => `the ledger counts ${fact(result, 'counter')} and has ${fact(result, 'rows')} rows`,
  HASHES_OVER_TOTAL: (result) => `Redis has ${fact(result, 'issued')} issued hashes for ${fact(result, 'total')} coupons`,
  ACCEPTED_OVER_TOTAL: (result) => `${fact(result, 'accepted')} users were accepted for ${fact(result, 'total')} coupons`,
  ACCEPTED_TWICE: (result) => `${users(result)} accepted more than once`,
  OVER_LIMIT_PER_USER: (result) => `${users(result)} with more than ${fact(result, 'limit')} coupons`,
  ISSUED_TWICE_IN_LEDGER: (result) => `${users(result)} with more than one ledger row`,
  ISSUED_TWICE_IN_REDIS: (result) => `${users(result)} with more than one issued hash`,
  ACCEPTED_NOT_ISSUED: (result) => `${users(result)} accepted and then lost`,
  ACCEPTED_WITHOUT_ROW: (result) => `${users(result)} accepted, with a hash in Redis and no ledger row`,
  ACCEPTED_WITHOUT_HASH: (result) => `${users(result)} accepted, with a ledger row and no hash in Redis`,
  DUPLICATE_NOT_ISSUED: (result) => `${users(result)} told "already requested" and left without a coupon`,
  ACCEPTED_SET_ASIDE: (result) => `${users(result)} accepted, then dead-lettered or revoked`,
  ISSUED_TO_REFUSED: (result) => `${users(result)} refused and yet issued`,
  ISSUED_AFTER_UNEXPECTED_ANSWER: (result) => `${users(result)} answered with an error and yet issued`,
  ISSUED_TO_STRANGER: (result) => `${users(result)} issued who never asked in this run`,
  SOLD_OUT_TOO_EARLY: (result) => `${users(result)} told "sold out" before ${fact(result, 'total')} users had asked`,
  STOCK_LEAKED: (result) =>
    `${number(result.count)} of ${fact(result, 'total')} coupons went to no user, though ${fact(result, 'asked')} users asked`,
  OVERTAKEN: (result) => `${users(result)} stand before a user who had been answered before they asked`,
  SERVED_OUT_OF_ORDER: (result) => `${users(result)} served before a user who had been answered before they asked`,
  STOCK_DOES_NOT_ADD_UP: (result) =>
    `total ${fact(result, 'total')} + returned ${fact(result, 'returned')} ≠ stock ${fact(result, 'stock')} + accepted ${fact(result, 'spent')}`,
  STOCK_BELOW_ZERO: (result) => `the stock stands at ${fact(result, 'stock')}`,
  STOCK_MISSING: () => 'the coupon or its stock is gone from Redis',
  NO_LEDGER_EVIDENCE: () => 'the ledger could not be read',
  NO_REDIS_EVIDENCE: () => 'Redis could not be read',
  NOT_SETTLED: (result) =>
    result.facts['accepted'] !== undefined
      ? `${number(result.count)} of ${fact(result, 'accepted')} accepted users have no coupon yet`
      : result.count > 0
        ? `${users(result)} still waited when the time was up`
        : 'users still waited when the time was up',
  NO_USERS_RECORDED: () => 'the record does not say which users asked',
  NO_TIMES_RECORDED: () => 'the record does not say when requests were sent and answered',
  NO_REQUEST_TIMES: () => 'nothing that was read has request times',
  REPLIES_ONLY: () => 'only the replies were looked at',
  NO_STOCK_EVIDENCE: () => 'nothing that was read says what is left',
  FEWER_USERS_THAN_COUPONS: ({ facts: { planned = 0, left = 0 } }) =>
    `${plural(planned, 'user')} ${planned === 1 ? 'asks' : 'ask'} for ${plural(left, 'coupon')}`,
  NOBODY_ASKS_TWICE: (result) => `no accepted user asks ${oftenThan(result)}`,
  NO_COUPONS_LEFT: () => 'there is no coupon to accept a user for',
  ALL_OVERLAPPED: () => 'no user was accepted before another one asked',
  NOTHING_PROMISED: () => 'no reply promised a coupon, so none could be broken',
  TOO_FEW_ANSWERED: (result) =>
    `only ${fact(result, 'answered')} of ${fact(result, 'planned')} users were told accepted or refused, for ${fact(result, 'left')} coupons`,
  NOBODY_ANSWERED_TWICE: (result) =>
    `no accepted user who asked ${oftenThan(result)} was answered ${(result.facts['limit'] ?? 1) > 1 ? 'as often' : 'twice'}`,
  NOBODY_ACCEPTED: () => 'no user was accepted',
};

export function reasonText(result: CheckResult): string {
  return result.reason === null ? '' : REASON_WORDS[result.reason](result);
}

const NOTE_WORDS: Record<Note['code'], (facts: Record<string, number | string>) => string> = {
  INTERRUPTED: (facts) => `interrupted: ${some(facts['unsent'], 'request')} not sent; what was sent is verified`,
  TARGET_LOST: (facts) => `the target stopped taking connections: ${some(facts['unsent'], 'request')} not sent`,
  NOT_SETTLED: (facts) =>
    facts['missing'] ? `${lateText(facts)} (settle.timeout)` : 'the drain was not done when the time was up (settle.timeout)',
  REDIS_UNREADABLE: (facts) => `Redis could not be read after the load${because(facts)}`,
  LEDGER_UNREADABLE: (facts) => `the ledger could not be read after the load${because(facts)}`,
  COUPON_NOT_FRESH: (facts) =>
    `${plural(Number(facts['users']), 'user')} had been accepted or issued before, and ${facts['users'] === 1 ? 'is' : 'are'} left out`,
  ABORTED_BY_THRESHOLD: (facts) =>
    `${facts['metric']} ${facts['expr']} was missed (${asText(facts['actual'])}) after ${asText(facts['second'])} s in "${facts['phase']}"${
      facts['askedPerSecond'] === undefined ? '' : `, at ${asText(facts['askedPerSecond'])} requests/s asked`
    }, ${asText(facts['answeredPerSecond'])}/s answered: the load was ended there`,
  ARRIVALS_DROPPED: (facts) =>
    `${plural(Number(facts['dropped']), 'request')} came due and found none of ${plural(Number(facts['vus']), 'connection')} free in time (dropped_iterations): the service is too slow for this rate, or maxVUs too low`,
  USERS_RAN_OUT: (facts) => `"${facts['phase']}" ended early: all users had asked (users.count)`,
  GENERATOR_LIMITED: (facts) =>
    `the load generator itself was the limit (busy ${Math.round(Number(facts['busy']) * 100)} % of the time${
      facts['startLagMs'] === undefined ? '' : `, requests left up to ${asText(facts['startLagMs'])} ms late`
    }): the service may be able to do more`,
  CONNECTIONS_CLOSED: () => 'the service closes connections: every request may pay for a new one',
  ISSUED_KEYS_NOT_SCANNED: () => 'issued keys were looked up for known users only: a coupon of an unknown user would not be seen',
  HASHES_NOT_SCANNED: () => 'issued hashes were looked up for known users only; `coupon-cli audit --scan` finds others',
  CERTIFICATE_UNCHECKED: () => 'the certificate of the target was not checked (--insecure, or tls.insecure)',
  GENERATOR_OUT_OF_CONNECTIONS: (facts) =>
    `this machine ran out of files or ports (${facts['faults']}): fewer virtual users, or a higher limit (ulimit -n), and not the service, decide here`,
  QUEUE_NEVER_SHRINKS: (facts) =>
    `the queue still holds ${plural(Number(facts['waiting']), 'user')} although every accepted user has a coupon: it looks like a list of applicants; leave it out with verify.redis.keys.queue: null`,
  DISRUPTED: (facts) => `at ${asText(facts['second'])} s: ${facts['action']}; it was back after ${asText(facts['took'])} s`,
  DISRUPTION_FAILED: (facts) => `at ${asText(facts['second'])} s: ${facts['action']} failed: ${facts['why']}`,
};

function because({ why }: Record<string, number | string>): string {
  return why === undefined ? '' : `: ${why}`;
}

/** `1 request was`, `no request was`, `3 requests were`. */
function some(value: number | string | undefined, one: string): string {
  const count = Number(value ?? 0);
  return count === 0 ? `no ${one} was` : `${plural(count, one)} ${count === 1 ? 'was' : 'were'}`;
}

export function noteText({ code, facts = {} }: Note): string {
  return NOTE_WORDS[code](facts);
}

/** `37 of 100 accepted users have no coupon after 60 s`. */
export function lateText({ missing, accepted, seconds }: Readonly<Record<string, number | string>>): string {
  return `${asText(missing)} of ${asText(accepted)} accepted users have no coupon after ${asText(seconds)} s`;
}

/** Which of several rounds a report is about. */
export function roundsText({ planned, run, shown }: Rounds): string {
  const all = run === planned ? number(planned) : `${number(run)} of ${number(planned)}`;
  return shown === run && run === planned
    ? `${all} rounds; this is the last`
    : `${all} rounds; this is round ${number(shown)}, which decided`;
}
