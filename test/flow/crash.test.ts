import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCheckpointPublicKey, readAuditDirectory, verifyAuditLog } from '../../src/audit/index.ts';
import { type CrashScene, load, setCrashScene } from '../support/crash-load.ts';
import {
  admin,
  newHome,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';

const KILLS = Number(process.env.CRASH_KILLS ?? 20);
const LONGEST_LOAD_MS = 900;

describe(`a service that is killed ${KILLS} times at random points under load`, () => {
  let home: string;
  let service: ServiceProcess;
  let scene: CrashScene;
  const brokenAfter: string[] = [];

  beforeAll(async () => {
    home = await newHome();
    service = await startServiceProcess(home);
    const settings = {
      SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
      SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
    };
    scene = await setCrashScene(service);
    for (let kill = 1; kill <= KILLS; kill++) {
      const stop = new AbortController();
      const loading = load(service, scene, stop.signal).catch(() => {});
      // From in the middle of the first calls to some time under full load.
      await sleep(50 + Math.random() * LONGEST_LOAD_MS);
      await service.end('SIGKILL');
      stop.abort();
      await loading;
      const report = await verify();
      if (!report.ok) brokenAfter.push(`kill ${kill}: ${JSON.stringify(report.firstBroken)}`);
      service = await startServiceProcess(home, settings);
    }
  }, 600_000);
  afterAll(async () => {
    await service?.end('SIGKILL');
    scene?.close();
    await removeHome(home);
  });

  async function verify() {
    const publicKey = await loadCheckpointPublicKey(join(home, 'keys'));
    return verifyAuditLog({
      directory: join(home, 'data/audit'),
      ...(publicKey === null ? {} : { publicKey }),
    });
  }

  async function listed(path: string, member: string): Promise<Set<string>> {
    const found = new Set<string>();
    let after = '';
    for (;;) {
      const { json } = await admin(service, 'GET', `${path}?limit=200${after}`);
      for (const item of json.items as Record<string, unknown>[]) found.add(String(item[member]));
      if (json.next === null) return found;
      after = `&cursor=${encodeURIComponent(String(json.next))}`;
    }
  }

  const missing = (wanted: ReadonlySet<string>, found: ReadonlySet<string>) =>
    [...wanted].filter((one) => !found.has(one));

  it('was really under load', () => {
    const { calls, credentials, revocations, agents, decoyRefusals } = scene.acknowledged;
    expect(Math.min(calls, credentials.size, revocations.size, agents.size, decoyRefusals)).toBeGreaterThan(
      0,
    );
  });

  it('keeps a chain that verifies each time', async () => {
    expect(brokenAfter).toEqual([]);
    expect(await verify()).toMatchObject({ ok: true });
  });

  it('has a record of every call that the upstream has seen', async () => {
    const recorded = new Set<string>();
    for await (const { event } of readAuditDirectory(join(home, 'data/audit'))) {
      if (event.type === 'call.permitted')
        recorded.add(new URL(event.data.call.target.split(' ')[1] ?? '').pathname);
    }
    expect(missing(scene.acknowledged.seenUpstream, recorded)).toEqual([]);
  });

  it('loses no acknowledged credential, agent or revocation', async () => {
    expect(missing(scene.acknowledged.credentials, await listed('/credentials', 'name'))).toEqual([]);
    expect(missing(scene.acknowledged.agents, await listed('/agents', 'name'))).toEqual([]);
    expect(missing(scene.acknowledged.revocations, await listed('/revocations', 'value'))).toEqual([]);
  });

  it('delivers every alert that was raised', async () => {
    const raised = new Set<string>();
    for await (const { event } of readAuditDirectory(join(home, 'data/audit'))) {
      if (event.type === 'alert.raised') raised.add(event.data.alertId);
    }
    expect(raised.size).toBeGreaterThan(0);
    await vi.waitFor(() => expect(missing(raised, scene.acknowledged.delivered)).toEqual([]), {
      timeout: 30_000,
      interval: 250,
    });
  });
});
