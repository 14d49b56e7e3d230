import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { greeting } from '../../src/compose/greeting.ts';
import { loadConfig } from '../../src/config/index.ts';
import { whyNoEngine } from '../../src/guard/index.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { repositoryRoot } from '../support/shared.ts';

/** G9: whoever turns protection down sees it wherever the gate tells how it is. */

const WEAK = {
  SALLYPORT_DETECTOR_ON_LATE: 'allow',
  SALLYPORT_DETECTOR_PROFILE: 'observe',
  SALLYPORT_GATEWAY_BEARER: 'loopback',
  SALLYPORT_GUARD_ENABLED: 'false',
  SALLYPORT_STORAGE_DURABILITY: 'process',
};
const SETTINGS =
  /detector\.onLate|detector\.profile|gateway\.bearer|guard\.enabled|storage\.durability|audit\.durability/g;

let strong: TestService;
let weak: TestService;
beforeAll(async () => {
  strong = await startTestService({ SALLYPORT_AUDIT_DURABILITY: 'power' });
  weak = await startTestService(WEAK);
});
afterAll(async () => {
  await strong?.close();
  await weak?.close();
});

async function statusByApi(service: TestService): Promise<Record<string, unknown>> {
  const answer = await fetch(`${service.controlUrl}/admin/v1/status`, {
    headers: { authorization: `Bearer ${service.token}` },
  });
  return answer.json() as Promise<Record<string, unknown>>;
}

async function statusByCli(service: TestService, ...options: string[]): Promise<string> {
  const child = spawn(join(repositoryRoot, 'bin', 'sallyport'), ['status', ...options], {
    env: { PATH: process.env.PATH, ...service.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

describe('what is weakened', () => {
  it('stands in every status output, setting by setting', async () => {
    const wanted = ['audit', 'detector', 'detector', 'gateway', 'guard', 'storage'];
    const api = await statusByApi(weak);
    const told = JSON.stringify(api.weakened).match(SETTINGS) ?? [];
    expect(told.map((name) => name.split('.')[0]).sort()).toEqual(wanted);
    expect(api.detector).toMatchObject({ profile: 'observe', onLate: 'allow' });
    for (const options of [[], ['--json']]) {
      const told = (await statusByCli(weak, ...options)).match(SETTINGS) ?? [];
      expect(new Set(told).size, options.join()).toBe(wanted.length);
    }
  });

  it('is nothing where nobody weakened anything', async () => {
    // Where no engine can be built, the first start has written that down, and says so.
    const noEngine = whyNoEngine() === null ? [] : [expect.stringContaining('guard.required')];
    expect((await statusByApi(strong)).weakened).toEqual(noEngine);
    expect((await statusByCli(strong)).match(SETTINGS)).toBeNull();
  });

  it('counts a missing guard model: it is told at the start, by the API and by the command', async () => {
    const config = loadConfig({ environment: {}, defaultHome: weak.home });
    expect(greeting(weak, config)).toMatch(/guard +absent: The guard model is turned off/);
    expect((await statusByApi(weak)).guard).toMatchObject({ kind: 'absent', required: false });
    expect(await statusByCli(weak)).toMatch(/guard[\s\S]*turned off/);
  });
});
