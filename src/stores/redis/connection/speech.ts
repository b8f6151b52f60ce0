import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const LOOK_MS = 900;
const LIKE_REDIS = /^(\+PONG|-(NOAUTH|LOADING|ERR|BUSY|MISCONF|MASTERDOWN|WRONGPASS|NOPERM|DENIED))/;

/** Whether a server shakes hands for TLS, whatever its certificate. Nothing is sent. */
export function speaksTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_MS, () => done(false));
    socket.once('secureConnect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** What Redis says to a new connection before it is asked anything, which is why it hangs up: `ERR …`. Null: nothing. */
export function refusalOf(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer: string | null): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_MS, () => done(null));
    socket.once('data', (bytes) => done(/^-([A-Z]+ [^\r\n]+)/.exec(bytes.toString('latin1'))?.[1] ?? null));
    socket.once('error', () => done(null));
    socket.once('close', () => done(null));
  });
}

/** Whether a server answers like Redis without TLS. A server that speaks TLS takes the question for a broken handshake. */
export function speaksPlainly(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_MS, () => done(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => done(LIKE_REDIS.test(bytes.toString('latin1'))));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}
