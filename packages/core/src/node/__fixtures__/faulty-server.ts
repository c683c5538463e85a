import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a server does wrong with one request. */
export type Fault =
  | 'cut' // the connection breaks on the way
  | 'stall' // it stays open, but nothing more comes
  | 'busy' // 503 or 429
  | 'ignore-range' // 200 with the whole file
  | 'wrong-range' // 206, but from another byte on
  | 'short' // announces and sends less than the whole
  | 'long' // announces and sends more
  | 'corrupt' // one byte is wrong
  | 'no-range' // 416
  | 'compressed' // claims a content encoding
  | 'page'; // 200 with an error page

export interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** An http server on 127.0.0.1 that closes when the test ends. */
export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    handle(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

export const etagOf = (content: Uint8Array): string => `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;

export interface Answer {
  readonly content: Uint8Array;
  readonly fault?: Fault;
  /** Where in the body a fault strikes, 0 … 1. */
  readonly at?: number;
  /** False: no ETag is sent. */
  readonly etag?: boolean;
}

/** Answers a GET, Range and If-Range as a good server does, unless told otherwise. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { content, fault, at = 0.5, etag = true }: Answer,
): void {
  const tag = etagOf(content);
  const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1);
  const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === tag;
  const headers: Record<string, string> = etag ? { etag: tag } : {};
  if (fault === 'busy') {
    response.writeHead(at < 0.5 ? 503 : 429, { 'retry-after': '0' }).end('busy');
    return;
  }
  if (fault === 'page') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>');
    return;
  }
  let start = wanted >= 0 && fresh && fault !== 'ignore-range' ? wanted : -1;
  if ((fault === 'no-range' && wanted >= 0) || start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  if (start >= 0 && fault === 'wrong-range') start = Math.floor(start / 2);
  let body = Buffer.from(content.subarray(Math.max(0, start)));
  if (fault === 'corrupt' && body.length > 0) body[Math.floor(at * (body.length - 1))] ^= 1;
  if (fault === 'short') body = body.subarray(0, Math.floor(at * body.length));
  if (fault === 'long') body = Buffer.concat([body, Buffer.from('more')]);
  if (fault === 'compressed') headers['content-encoding'] = 'identity, x-none';
  if (start >= 0) headers['content-range'] = `bytes ${start}-${start + body.length - 1}/${start + body.length}`;
  headers['content-length'] = String(body.length);
  response.writeHead(start >= 0 ? 206 : 200, headers);
  if (fault !== 'cut' && fault !== 'stall') {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(at * body.length)), () => {
    if (fault === 'cut') setTimeout(() => response.destroy(), 15);
  });
  response.flushHeaders();
}
