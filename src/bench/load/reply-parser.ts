import type { Parser } from './autocannon-client.ts';

/** What a parser tells the client that it belongs to. */
interface ParserOwner {
  /** Whether this parser is the client's own, and a request is under way. */
  isFor: (parser: Parser) => boolean;
  body: (bytes: Buffer) => void;
  /** A reply that no request is waiting for: a server's 408 to an idle connection would make autocannon throw from a socket event. */
  unasked: (parser: Parser) => void;
  /** A whole reply; autocannon is told of it next. */
  whole: (keepAlive: boolean) => void;
}

/**
 * A parser for the next connection (the old one may be in the middle of a reply), which keeps the body as bytes and lets interim
 * replies pass.
 */
export function replyParser(original: Parser, owner: ParserOwner): Parser {
  const { constructor: ParserOf } = original;
  const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = ParserOf;
  const parser = new ParserOf('RESPONSE');
  for (const event of [kOnHeaders, kOnHeadersComplete]) parser[event] = original[event]!;
  parser[kOnBody] = (chunk, start, length) => {
    if (owner.isFor(parser)) owner.body((chunk as Buffer).subarray(Number(start), Number(start) + Number(length)));
  };
  parser[kOnMessageComplete] = () => {
    const { statusCode = 0, shouldKeepAlive = false } = parser.info;
    if (statusCode >= 100 && statusCode < 200 && statusCode !== 101) return;
    if (!owner.isFor(parser)) {
      owner.unasked(parser);
      return;
    }
    // Bytes beyond the reply belong to nothing we asked; on this connection they would answer the next request.
    owner.whole(shouldKeepAlive && parser.offset >= parser.end);
    original[kOnMessageComplete]!();
  };
  return parser;
}
