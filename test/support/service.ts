import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningService, startService } from '../../src/compose/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { repositoryRoot } from './shared.ts';

/** The whole service on throwaway state and free ports. */
export interface TestService extends RunningService {
  readonly home: string;
  /** Of the first administrator. */
  readonly token: string;
  /** What a CLI needs to find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Faults that nobody waited for. */
  readonly faults: readonly unknown[];
  close(): Promise<void>;
}

/**
 * `byName`: browsers reach it as localhost, so that it can have passkeys; `port`: at this one; `file`: its sallyport.yaml.
 */
export async function startTestService(
  settings: Readonly<Record<string, string>> = {},
  o: { readonly byName?: boolean; readonly port?: number; readonly file?: string } = {},
): Promise<TestService> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  if (o.file !== undefined) await writeFile(join(home, 'sallyport.yaml'), o.file);
  const base = { SALLYPORT_HOME: home, SALLYPORT_AUDIT_DURABILITY: 'process', ...settings };
  const port = o.port ?? (o.byName === true ? await freePort() : 0);
  const named = o.byName === true ? { SALLYPORT_CONTROL_PUBLIC_URL: `http://localhost:${port}` } : {};
  const config = loadConfig({
    environment: { ...base, ...named, SALLYPORT_CONTROL_PORT: `${port}`, SALLYPORT_GATEWAY_PORT: '0' },
    defaultHome: repositoryRoot,
  });
  const faults: unknown[] = [];
  const service = await startService({ config, isTerminal: false, onFault: (fault) => faults.push(fault) });
  const token = (await readFile(join(home, 'keys', 'admin-token'), 'utf8')).trim();
  return {
    ...service,
    home,
    token,
    faults,
    environment: {
      ...base,
      SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
      SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
    },
    async close() {
      await service.stop('test');
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
