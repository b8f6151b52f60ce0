import type { RequestLine } from '../../http/request-log.ts';
import { usageError } from '../../lib/errors.ts';
import { jsonText, terminalText } from '../../lib/text/terminal.ts';
import type { Context } from '../context.ts';
import { hashedUsers, nameInKeys, plainUsers, type NameOf } from './users.ts';

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const LOG_FORMAT_ABOUT = 'write stderr as a log: json (a JSON object a line) or pretty';
export const LOG_USERS_ABOUT = 'with --log-format: name users as they are, not by a hash';

export interface LogFlags {
  logFormat?: LogFormat | undefined;
  logUsers?: true | undefined;
}

/** What a service writes while it runs, besides its data. */
export interface Log {
  nameOf: NameOf;
  /** A request that was answered. */
  request(line: RequestLine): void;
}

export function parseLogFormat(text: string): LogFormat {
  const format = LOG_FORMATS.find((one) => one === text);
  if (format) return format;
  throw usageError('BAD_LOG_FORMAT', `--log-format: "${text}" is no format`, `Use ${LOG_FORMATS.join(' or ')}.`);
}

/** From here on notes and warnings of the context are lines of the log. Null: none is asked for, and stderr stays as it is. */
export async function openLog(context: Context, service: string, flags: LogFlags): Promise<Log | null> {
  const { logFormat, logUsers } = flags;
  if (logFormat === undefined) {
    if (logUsers) throw usageError('LOG_USAGE', '--log-users is about the log', 'Add --log-format.');
    return null;
  }
  const { pino } = await import('pino');
  const stream = { write: await writer(context, logFormat) };
  const logger = pino(
    { base: { service, pid: context.env.pid }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    stream,
  );
  const nameOf = logUsers ? plainUsers : hashedUsers(context.settings.get('databaseUrl').value);
  const shown = (text: string): string => nameInKeys(text.trimEnd(), nameOf);
  context.out.logTo({
    info: (text) => logger.info(shown(text)),
    warn: (text, fields) => logger.warn(fields, shown(text)),
  });
  return {
    nameOf,
    request: ({ failed, ...line }) => logger[failed ? 'error' : 'info'](line, 'request'),
  };
}

/** Over the stream of the context, which lets no secret through. */
async function writer({ env, out }: Context, format: LogFormat): Promise<(line: string) => void> {
  if (format === 'json') return (line) => void env.stderr.write(`${jsonText(JSON.parse(line))}\n`);
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ colorize: false, singleLine: true, ignore: 'service,pid' });
  return (line) => void env.stderr.write(out.shown(terminalText(pretty(line), false)));
}
