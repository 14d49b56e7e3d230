import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { DEFAULT_COMPUTE } from '../../src/guard/compute.ts';
import { type GuardSettings, openGuard } from '../../src/guard/open-guard.ts';
import type { OpenGuard } from '../../src/guard/opened.ts';
import { addonOrReason, golden } from './support.ts';

const found = addonOrReason();

let home: string;
let guard: OpenGuard | null = null;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-guard-'));
  mkdirSync(join(home, 'data'));
});
afterEach(async () => {
  await guard?.close();
  guard = null;
  rmSync(home, { recursive: true, force: true });
});

const DEFAULTS: GuardSettings = {
  enabled: true,
  model: null,
  sha256: null,
  preset: null,
  required: null,
  ...DEFAULT_COMPUTE,
  threads: 1,
  deadlineMs: 20_000,
  memoryBytes: null,
  remote: null,
  cascadeModel: null,
  cascadeSha256: null,
  cascadePreset: null,
  cascadeFrom: 0.3,
  cascadeBelow: 0.97,
};

async function open(settings: Partial<GuardSettings> = {}, programRoot = home): Promise<OpenGuard> {
  await guard?.close();
  guard = openGuard({
    settings: { ...DEFAULTS, ...settings },
    home,
    data: join(home, 'data'),
    programRoot,
    clock: systemClock,
    onFault: (fault) => {
      throw fault;
    },
  });
  await guard.settled(20_000);
  return guard;
}

const score = (one: OpenGuard) =>
  one.score({
    tenant: 'default',
    segments: [{ role: 'result', text: 'x' }],
    labels: ['injection'],
    deadlineMs: 20_000,
  });

it('has no opinion where there is no model, and needs none', async () => {
  const absent = await open();
  expect(absent.status).toMatchObject({ kind: 'absent', reason: expect.stringContaining('No guard model') });
  expect(await score(absent)).toBe('absent');
  expect(absent.isFit).toBe(true);
});

it('counts each text as late where a guard is required and there is none', async () => {
  const missing = await open({ required: true });
  expect(missing.status.kind).toBe('failing');
  expect(await score(missing)).toBe('late');
  expect(missing.isFit).toBe(false);
});

it('is off where the administrator turned it off, whatever was before', async () => {
  writeFileSync(join(home, 'data/guard-worked.json'), '{}');
  const off = await open({ enabled: false, required: true });
  expect(off.status).toMatchObject({ kind: 'absent', reason: expect.stringContaining('guard.enabled') });
  expect(await score(off)).toBe('absent');
});

it('says so when its address is none of this machine', async () => {
  const far = await open({ remote: 'guard.example.com:7000', required: true });
  expect(far.status).toMatchObject({ kind: 'failing', reason: expect.stringContaining('guard.remote') });
});

describe.skipIf('reason' in found)('once an engine has worked on a machine', () => {
  beforeEach(() => {
    mkdirSync(join(home, 'models'));
    copyFileSync(golden('canary-q8_0.gguf'), join(home, 'models/canary-guard.gguf'));
  });

  it("takes the program's own model where it exists, and notes that it works", async () => {
    const own = await open();
    expect(own.status).toMatchObject({
      kind: 'ready',
      model: 'canary-guard.gguf',
      architecture: 'canary-guard',
    });
    expect(await score(own)).toBeInstanceOf(Map);
    expect(own.isRequired).toBe(true);
    expect(existsSync(join(home, 'data/guard-worked.json'))).toBe(true);
  });

  it('counts its absence as a missed deadline, until the administrator says otherwise', async () => {
    await open();
    rmSync(join(home, 'models/canary-guard.gguf'));
    const gone = await open();
    expect(gone.status).toMatchObject({ kind: 'failing', reason: expect.stringContaining('no guard model') });
    expect(await score(gone)).toBe('late');
    const waived = await open({ required: false });
    expect(await score(waived)).toBe('absent');
    expect(waived.status.kind).toBe('absent');
  });

  it('keeps to the digest that stands beside the model', async () => {
    writeFileSync(join(home, 'models/canary-guard.gguf.sha256'), `${'0'.repeat(64)}  canary-guard.gguf\n`);
    const other = await open();
    expect(other.status).toMatchObject({ kind: 'failing', reason: expect.stringContaining('SHA-256') });
    writeFileSync(join(home, 'models/canary-guard.gguf.sha256'), 'no digest\n');
    expect((await open()).status).toMatchObject({
      kind: 'failing',
      reason: expect.stringContaining('.sha256'),
    });
  });

  it('asks a bigger model where the small one is unsure, and names both', async () => {
    copyFileSync(golden('canary-f32.gguf'), join(home, 'bigger.gguf'));
    const alone = await score(await open({ model: join(home, 'bigger.gguf') }));
    const small = await score(await open());
    const never = await open({ cascadeModel: 'bigger.gguf', cascadeFrom: 1, cascadeBelow: 1 });
    expect(never.status).toMatchObject({ model: 'canary-guard.gguf, where unsure bigger.gguf' });
    expect(await score(never)).toEqual(small);
    const always = await open({ cascadeModel: 'bigger.gguf', cascadeFrom: 0, cascadeBelow: 1 });
    expect(await score(always)).toEqual(alone);
    expect(alone).not.toEqual(small);
  });

  it('is late where the bigger model is needed and gone', async () => {
    const required = await open({
      required: true,
      cascadeModel: 'gone.gguf',
      cascadeFrom: 0,
      cascadeBelow: 1,
    });
    expect(required.status).toMatchObject({ kind: 'failing' });
    expect(await score(required)).toBe('late');
  });
});
