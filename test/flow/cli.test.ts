import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { repositoryRoot } from '../support/shared.ts';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let service: TestService;
let scratch: string;
beforeAll(async () => {
  service = await startTestService();
  scratch = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
});
afterAll(async () => {
  await service.close();
  await rm(scratch, { recursive: true, force: true });
});

/** bin/sallyport as a child process, with nothing of our own environment but PATH. */
async function sallyport(
  args: readonly string[],
  o: { readonly input?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const child = spawn(join(repositoryRoot, 'bin', 'sallyport'), args, {
    env: { PATH: process.env.PATH, ...service.environment, ...o.environment },
    cwd: scratch,
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (err += chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(o.input ?? '');
  const [code]: (number | null)[] = await once(child, 'close');
  return { code: code ?? null, out, err };
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await sallyport([...args, '--json']);
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out);
}

describe('sallyport says no', () => {
  it('to unknown verbs and options with code 2, naming the nearest', async () => {
    expect(await sallyport(['agnet', 'list'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean agent'),
    });
    expect(await sallyport(['agent', 'list', '--jsno'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--json'),
    });
    const faulty = await sallyport(['agent', 'lst', '--json']);
    expect(JSON.parse(faulty.err)).toMatchObject({ error: { code: 'usage', remedy: expect.any(String) } });
    expect(faulty.out).toBe('');
  });

  it('with code 3 when nobody listens, and 2 when the token would cross a network in the clear', async () => {
    expect(await sallyport(['agent', 'list', '--url', 'http://127.0.0.1:1'])).toMatchObject({ code: 3 });
    expect(await sallyport(['agent', 'list', '--url', 'http://gate.example.com'])).toMatchObject({ code: 2 });
  });

  it('with code 4 for a missing, foreign or readable token, and never repeats what it found', async () => {
    const file = join(scratch, 'wrong-token');
    await writeFile(file, 'fake-other-secret\n');
    const wrong = await sallyport(['agent', 'list', '--token-file', file]);
    expect(wrong).toMatchObject({ code: 4 });
    expect(wrong.err).not.toContain('fake-other-secret');
    const own = join(service.home, 'keys', 'admin-token');
    await chmod(own, 0o644);
    expect(await sallyport(['agent', 'list'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('chmod 600'),
    });
    await chmod(own, 0o600);
    expect(
      await sallyport(['agent', 'list'], { environment: { SALLYPORT_GATEWAY_PROT: '1' } }),
    ).toMatchObject({ code: 4 });
  });

  it('with code 1 and the gate’s own code for what the service refuses', async () => {
    const environment = { SALLYPORT_ADMIN_TOKEN: `sp_admin_${'C'.repeat(43)}` };
    expect(await sallyport(['agent', 'list'], { environment })).toMatchObject({
      code: 1,
      err: expect.stringContaining('admin_unauthenticated'),
    });
    expect(await sallyport(['agent', 'show', 'nobody'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('not_found'),
    });
    expect(await sallyport(['agent', 'show', '..'])).toMatchObject({ code: 2 });
    expect(await sallyport(['agent', 'add', '../../evil'])).toMatchObject({ code: 2 });
    expect(await sallyport(['service', 'add', 'lan', '--origin', 'http://127.0.0.1'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('http://127.0.0.1 is private'),
    });
  });
});

describe('sallyport sets a gate up', () => {
  it('adds a service and a credential that comes from standard input, and attaches it', async () => {
    expect(await json('service', 'add', 'api', '--origin', 'https://api.no-such-host.example')).toMatchObject(
      {
        name: 'api',
        credential: null,
      },
    );
    expect(await sallyport(['service', 'add', 'api', '--origin', 'https://other.example.com'])).toMatchObject(
      { code: 1 },
    );
    const secret = 'fake-secret-from-stdin';
    const put = await sallyport(['credential', 'put', 'api-key', '--service', 'api', '--kind', 'bearer'], {
      input: `${secret}\n`,
    });
    expect(put).toMatchObject({ code: 0, err: expect.stringContaining('carry api-key') });
    expect(put.out + put.err).not.toContain(secret);
    expect(await json('service', 'show', 'api')).toMatchObject({ credential: 'api-key' });
    expect(await json('credential', 'list')).toMatchObject({
      items: [{ name: 'api-key', version: 1, status: 'active' }],
    });
    expect(await sallyport(['credential', 'rotate', 'api-key'], { input: '' })).toMatchObject({ code: 2 });
    expect(
      await sallyport(['credential', 'rotate', 'api-key'], { input: 'fake-second-secret' }),
    ).toMatchObject({ code: 0 });
    expect(await json('credential', 'list')).toMatchObject({ items: [{ version: 2 }] });
  });

  it('registers an agent whose private key stays here, mode 0600, and works at once', async () => {
    const added = await json('agent', 'add', 'builder', '--owner', 'ann', '--scope', 'api:read');
    const file = join(service.home, 'keys', 'agents', 'builder.json');
    expect(added).toMatchObject({
      keyFile: file,
      agent: { name: 'builder', owner: 'ann', scopes: ['api:read'] },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = JSON.parse(await readFile(file, 'utf8'));
    expect(JSON.stringify(added)).not.toContain(key.privateJwk.d);
    expect(await sallyport(['agent', 'add', 'builder'])).toMatchObject({ code: 4 });
    // All the way: passport, policy, credential; then the gate's own no, since the name leads nowhere.
    const call = await sallyport(['call', '--agent', 'builder', '/s/api/x', '--json']);
    expect(call).toMatchObject({ code: 1 });
    expect(JSON.parse(JSON.parse(call.out).body)).toMatchObject({
      code: 'destination_unresolvable',
    });
    expect(await json('passport', 'list', '--agent', 'builder')).toMatchObject({ items: [{ owner: 'ann' }] });
    await json('agent', 'rotate', 'builder');
    expect(JSON.parse(await readFile(file, 'utf8')).privateJwk.kid).not.toBe(key.privateJwk.kid);
    expect(await sallyport(['call', '--agent', 'builder', '/s/api/x', '--json'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('"body"'),
    });
  });

  it('passes on what an agent may do to another one, once, to a file that others can not read', async () => {
    await json('agent', 'add', 'helper', '--owner', 'ann', '--scope', 'api:read');
    const file = join(scratch, 'for-helper.json');
    const delegate = ['passport', 'delegate', '--agent', 'builder', '--to', 'helper', '--scope', 'api:read'];
    const details = '[{"type":"tool_call","service":"api","path":"/given"}]';
    expect(await json(...delegate, '--details', details, '--out', file)).toMatchObject({ file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await sallyport([...delegate, '--out', file])).toMatchObject({ code: 4 });
    const acting = ['call', '--agent', 'helper', '--delegation', file, '/s/api/given', '--json'];
    const call = await sallyport(acting);
    expect(JSON.parse(JSON.parse(call.out).body)).toMatchObject({ code: 'destination_unresolvable' });
    const [newest] = (await json('passport', 'list', '--agent', 'helper')).items as { chain: string[] }[];
    expect(newest?.chain).toHaveLength(2);
    expect(await sallyport(acting)).toMatchObject({ code: 1, err: expect.stringContaining('invalid_grant') });
    const printed = await sallyport([...delegate]);
    await writeFile(join(scratch, 'second.json'), printed.out);
    const second = join(scratch, 'second.json');
    const wrong = await sallyport(['call', '--agent', 'builder', '--delegation', second, '/s/api/given']);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('invalid_grant') });
    for (const bad of [
      ['passport', 'delegate', '--agent', 'builder'],
      [...delegate, '--details', '[{"type":"root"}]'],
    ]) {
      expect(await sallyport(bad)).toMatchObject({ code: 2 });
    }
    await json('agent', 'remove', 'helper');
  });

  it('quarantines and releases an agent, revokes its passports, and removes it with its key', async () => {
    await json('agent', 'quarantine', 'builder', '--reason', 'odd');
    expect(await sallyport(['call', '--agent', 'builder', '/s/api/x'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('issuer_refused'),
    });
    expect(await json('agent', 'release', 'builder')).toMatchObject({ status: 'active' });
    expect(await json('passport', 'revoke', '--agent', 'builder')).toMatchObject({ kind: 'agent' });
    await json('agent', 'remove', 'builder');
    expect(await readdir(join(service.home, 'keys', 'agents'))).toEqual([]);
  });

  it('plants decoys, keeps sinks, tokens and keys, and lists each', async () => {
    expect(await json('decoy', 'plant', 'aws-backup')).toMatchObject({
      name: 'aws-backup',
      kind: 'credential',
    });
    await json('decoy', 'remove', 'aws-backup');
    expect(await json('decoy', 'list')).toEqual({ items: [] });
    expect(await json('alert', 'sink', 'add', 'local', '--file', 'alerts.jsonl')).toMatchObject({
      secret: null,
    });
    expect(await json('alert', 'sink', 'test', 'local')).toMatchObject({ outcome: 'delivered' });
    await json('alert', 'sink', 'remove', 'local');
    const made = await json('token', 'create', 'siem', '--role', 'auditor', '--days', '1');
    const environment = { SALLYPORT_ADMIN_TOKEN: String(made.token) };
    expect(await sallyport(['decoy', 'plant', 'x'], { environment })).toMatchObject({ code: 1 });
    await json('token', 'delete', 'siem');
    expect(await sallyport(['agent', 'list'], { environment })).toMatchObject({ code: 1 });
    expect(await json('key', 'rotate')).toMatchObject({ kid: expect.any(String) });
    expect(await json('status')).toBeTypeOf('object');
    expect(await json('policy', 'status')).toMatchObject({ generation: 1, faults: [] });
    expect((await sallyport(['ca', 'export'])).out).toContain('BEGIN CERTIFICATE');
  });

  it('keeps a token by login after checking it, and forgets it by logout', async () => {
    expect(await sallyport(['login'], { input: `sp_admin_${'D'.repeat(43)}\n` })).toMatchObject({ code: 1 });
    expect(await sallyport(['logout'])).toMatchObject({ code: 0 });
    expect(await sallyport(['agent', 'list'])).toMatchObject({ code: 4 });
    const login = await sallyport(['login'], { input: `${service.token}\n` });
    expect(login).toMatchObject({ code: 0, out: expect.stringContaining('first-administrator') });
    expect(login.out + login.err).not.toContain(service.token);
    expect(await sallyport(['agent', 'list'])).toMatchObject({ code: 0 });
  });
});

describe('sallyport tells what happened', () => {
  it('shows, exports and verifies the log, and says where it was changed', async () => {
    const tail = await sallyport(['audit', 'tail', '-n', '500', '--json']);
    const types = tail.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event.type);
    expect(types).toEqual(
      expect.arrayContaining(['agent.registered', 'credential.put', 'admin_token.deleted']),
    );
    const note = join(scratch, 'checkpoint.txt');
    await json('audit', 'checkpoint', '--out', note);
    expect(await json('audit', 'verify', '--checkpoint', note)).toMatchObject({
      ok: true,
      hadExternalCheckpoint: true,
    });
    // A note over more records than there are: what is left after somebody has cut the log.
    const ahead = (await readFile(note, 'utf8')).replace(/\n\d+\n/, '\n999999\n');
    await writeFile(note, ahead);
    expect(await sallyport(['audit', 'checkpoint', '--out', note])).toMatchObject({
      code: 4,
      err: expect.stringContaining('Keep that note'),
    });
    expect(await readFile(note, 'utf8')).toBe(ahead);
    const file = join(scratch, 'audit.ndjson');
    const { records } = await json('audit', 'export', '--out', file);
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(Number(records));
    const audit = join(service.home, 'data', 'audit');
    const copy = join(scratch, 'audit');
    await import('node:fs/promises').then(({ cp }) => cp(audit, copy, { recursive: true }));
    const segment = (await readdir(copy)).find(
      (name) => /\.(jsonl|log|ndjson)$/.test(name) && !/checkpoint/.test(name),
    );
    await appendFile(join(copy, segment ?? 'none'), '{"forged":true}\n');
    const broken = await sallyport(['audit', 'verify', '--directory', copy, '--json']);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.out)).toMatchObject({ ok: false, firstBroken: { reason: expect.any(String) } });
  });
});

describe('lists on the command line', () => {
  it('page through by themselves, and stop at --limit', async () => {
    for (const name of ['l1', 'l2', 'l3']) {
      await json('service', 'add', name, '--origin', `https://${name}.example.com`);
    }
    expect((await json('service', 'list', '--limit', '2')).items).toHaveLength(2);
    expect(await sallyport(['service', 'list', '--limit', '0'])).toMatchObject({ code: 2 });
  });
});
