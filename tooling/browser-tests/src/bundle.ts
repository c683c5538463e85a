import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

export interface Bundle {
  readonly code: string;
  /** The source files in it. */
  readonly inputs: readonly string[];
}

/** Bundles for a browser, as an application that uses convkit would. Fails when something needs Node. */
export async function bundle(source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: here, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['@convkit/source'],
    logLevel: 'silent',
  });
  return { code: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

/** A local server with the page, its program and tfjs' .wasm files. `isolated` allows the page SharedArrayBuffer, and so threads. */
export async function serve(code: string, { isolated }: { isolated: boolean }): Promise<{ url: string; server: Server }> {
  const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  const server = createServer((request, response) => {
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    const wasm = /^\/wasm\/([\w-]+\.wasm)$/.exec(request.url ?? '')?.[1];
    if (request.url === '/') {
      response
        .setHeader('Content-Type', 'text/html')
        .end('<!doctype html><title>convkit</title><script type="module" src="/page.js"></script>');
    } else if (request.url === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(code);
    else if (wasm) response.setHeader('Content-Type', 'application/wasm').end(readFileSync(join(wasmFolder, wasm)));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}
