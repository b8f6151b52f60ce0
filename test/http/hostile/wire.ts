import { connect, type Socket } from 'node:net';

/** One reply as it came over the wire. */
export interface Heard {
  status: number;
  headers: string;
  body: string;
}

/** A bare connection: what it sends is not made right by an HTTP client. */
export class Wire {
  readonly #socket: Socket;
  #said = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(url: string) {
    this.#socket = connect(Number(new URL(url).port), '127.0.0.1');
    const over = (): void => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#said += chunk;
      this.#wake();
    });
    // A server that hangs up on a client that still sends resets the connection; what it said before counts.
    this.#socket.on('end', over).on('close', over).on('error', over);
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** So many replies, or fewer when the server hangs up before. */
  async hear(count: number): Promise<Heard[]> {
    const heard: Heard[] = [];
    while (heard.length < count) {
      const one = this.#next();
      if (one) heard.push(one);
      else if (this.#ended) break;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return heard;
  }

  close(): void {
    this.#socket.destroy();
  }

  #next(): Heard | null {
    const head = this.#said.indexOf('\r\n\r\n');
    if (head < 0) return null;
    const headers = this.#said.slice(0, head);
    const length = Number(/^content-length: (\d+)$/im.exec(headers)?.[1] ?? 0);
    const end = head + 4 + length;
    if (this.#said.length < end) return null;
    const body = this.#said.slice(head + 4, end);
    this.#said = this.#said.slice(end);
    return { status: Number(headers.slice(9, 12)), headers, body };
  }
}
