import { mkdtemp, readFile, rm } from 'node:fs/promises';
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

export async function startTestService(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  const base = { SALLYPORT_HOME: home, SALLYPORT_AUDIT_DURABILITY: 'process', ...settings };
  const config = loadConfig({
    environment: { ...base, SALLYPORT_CONTROL_PORT: '0', SALLYPORT_GATEWAY_PORT: '0' },
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
