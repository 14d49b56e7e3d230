import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  admin,
  environmentOf,
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';
import { repositoryRoot } from '../support/shared.ts';

const KILLS = 6;
/** What a start makes is the same without it, and these tests start two dozen times. */
const WITHOUT_MODEL = { SALLYPORT_GUARD_ENABLED: 'false' };

let home: string;
let service: ServiceProcess | null;
beforeEach(async () => {
  home = await newHome();
  service = null;
});
afterEach(async () => {
  await service?.end('SIGKILL');
  await removeHome(home);
});

async function start(): Promise<ServiceProcess> {
  service = await startServiceProcess(home, WITHOUT_MODEL);
  return service;
}

function spawnService() {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: repositoryRoot,
    env: environmentOf(home, { ...WITHOUT_MODEL, SALLYPORT_CONTROL_PORT: '0', SALLYPORT_GATEWAY_PORT: '0' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, ended: once(child, 'exit'), output: () => output };
}

describe('the very first start', () => {
  it(`that is killed ${KILLS} times, each time a little further on, is found whole or made again`, async () => {
    const reached: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await rm(home, { recursive: true, force: true });
      const { child, ended, output } = spawnService();
      // By what it has made rather than by time: from the first folder to the last key and table.
      const wanted = 1 + Math.floor((kill * 60) / KILLS);
      while (child.exitCode === null && !output().includes('is up') && countEntries() < wanted)
        await sleep(1);
      child.kill('SIGKILL');
      await ended;
      reached.push(countEntries());

      const again = await start();
      expect(await admin(again, 'GET', '/status')).toMatchObject({ status: 200 });
      const { json } = await admin(again, 'POST', '/policies/check');
      expect(json).toMatchObject({ faults: [] });
      expect(await policyFiles(join(home, 'policies'))).toEqual(
        await policyFiles(join(repositoryRoot, 'policies')),
      );
      expect(await again.end('SIGTERM')).toBe(0);
      service = null;
    }
    expect(new Set(reached).size, `points: ${reached.join(' ')}`).toBeGreaterThan(KILLS / 2);
  }, 300_000);

  it('that is told to stop while it begins ends cleanly, and the next one serves', async () => {
    const { child, ended, output } = spawnService();
    while (child.exitCode === null && countEntries() < 5) await sleep(1);
    child.kill('SIGTERM');
    expect(await ended, output()).toEqual([0, null]);
    const again = await start();
    expect(await admin(again, 'GET', '/status')).toMatchObject({ status: 200 });
  });

  it('makes one state when two processes begin at the same moment, and one of them serves', async () => {
    const two = [spawnService(), spawnService()];
    const isUp = () => two.some(({ output }) => /is up/.test(output()));
    await expect.poll(isUp, { timeout: 30_000 }).toBe(true);
    const loser = two.find(({ output }) => !/is up/.test(output()));
    const [code] = await (loser?.ended ?? []);
    expect(code, loser?.output()).toBe(4);
    expect(loser?.output()).toMatch(/stop the other Sallyport first/);
    for (const { child, ended } of two) {
      child.kill('SIGKILL');
      await ended;
    }
    const again = await start();
    expect(await admin(again, 'GET', '/status')).toMatchObject({ status: 200 });
  });
});

describe('a start without the keys that the database was written with', () => {
  it('is refused, naming what is missing and how to mend it, and makes nothing new', async () => {
    const first = await start();
    await mustSallyport(first, ['agent', 'add', 'bob', '--owner', 'team', '--scope', 'echo:read']);
    await mustSallyport(first, ['service', 'add', 'echo', '--origin', 'https://api.example.com']);
    await mustSallyport(first, ['credential', 'put', 'k', '--service', 'echo', '--kind', 'bearer'], {
      input: 'fake-secret-of-the-test',
    });
    await first.end('SIGTERM');
    await rename(join(home, 'keys'), join(home, 'backup'));
    await expect(start()).rejects.toThrow(/ended with 4[\s\S]*is missing, and it has signed/);
    await rm(join(home, 'keys'), { recursive: true });
    await rename(join(home, 'backup'), join(home, 'keys'));
    for (const name of ['audit-checkpoint.key', 'vault.json', 'passport-pepper.key', 'admin-pepper.key']) {
      await rename(join(home, 'keys', name), join(home, name));
      await expect(start(), name).rejects.toThrow(new RegExp(`ended with 4[\\s\\S]*${name} is missing`));
      await rename(join(home, name), join(home, 'keys', name));
    }
    expect(await admin(await start(), 'GET', '/status')).toMatchObject({ status: 200 });
  }, 300_000);
});

/** Files and folders that the start has made so far. */
function countEntries(): number {
  try {
    return readdirSync(home, { recursive: true }).length;
  } catch {
    return 0;
  }
}

async function policyFiles(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}
