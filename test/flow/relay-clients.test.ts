import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callOnce, RelayFault, runCommand } from '../../src/cli/relay/index.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { startGitServer } from '../support/git-server.ts';
import { type FakeGate, startFakeGate } from './relay-fake-gate.ts';

const run = promisify(execFile);

let gate: FakeGate;
let folder: string;
let notices: string[];

beforeEach(async () => {
  gate = await startFakeGate();
  folder = await mkdtemp(join(tmpdir(), 'sallyport-relay-'));
  notices = [];
});
afterEach(async () => {
  await gate.close();
  await rm(folder, { recursive: true, force: true });
});

const agentOptions = () => ({
  gatewayUrl: gate.gatewayUrl,
  issuerUrl: gate.issuerUrl,
  agent: gate.agent,
  onNotice: (sentence: string) => notices.push(sentence),
});
const runOptions = (argv: readonly string[]) => ({
  ...agentOptions(),
  argv,
  environment: process.env,
  stateFolder: null,
  strict: false,
  stdio: 'ignore' as const,
});
const output = () => readFile(join(folder, 'out'), 'utf8');
const shell = (script: string) => runCommand(runOptions(['sh', '-c', script, 'sh', join(folder, 'out')]));

function missing(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;
}

describe('a program that runs behind the relay', () => {
  test.skipIf(missing('curl'))('can be curl, over https and http', async () => {
    expect(
      await shell('curl -sS -d body https://api.test/one >"$1" && curl -sS http://api.test/two >>"$1"'),
    ).toBe(0);
    expect(await output()).toMatch(/^POST \/one\n[\s\S]*\nbodyGET http:\/\/api\.test\/two\n/);
  });

  test('can be Node with its own fetch', async () => {
    const script = `
      import { writeFileSync } from 'node:fs';
      const get = (url) => fetch(url).then((answer) => answer.text());
      writeFileSync(process.argv[1], (await get('https://api.test/a')) + (await get('http://api.test/b')));`;
    const argv = [process.execPath, '--input-type=module', '-e', script];
    expect(await runCommand(runOptions([...argv, join(folder, 'out')]))).toBe(0);
    expect(await output()).toMatch(/^GET \/a\n[\s\S]*GET \/b\n/);
  });

  test.skipIf(missing('python3'))('can be Python with urllib', async () => {
    const script = [
      'import sys, urllib.request as r',
      'open(sys.argv[1], "wb").write(r.urlopen("https://api.test/p").read() + r.urlopen("http://api.test/q").read())',
    ].join('\n');
    expect(await runCommand(runOptions(['python3', '-c', script, join(folder, 'out')]))).toBe(0);
    expect(await output()).toMatch(/^GET \/p\n[\s\S]*GET http:\/\/api\.test\/q\n/);
  });

  test.skipIf(missing('git'))('can be git, which clones over https', async () => {
    const source = join(folder, 'source.git');
    const work = join(folder, 'work');
    await mkdir(work);
    await writeFile(join(work, 'file.txt'), 'content of the clone\n'.repeat(20_000));
    const git = (...argv: string[]) =>
      run('git', ['-C', work, '-c', 'user.name=t', '-c', 'user.email=t@t', ...argv]);
    await git('init', '-q');
    await git('add', '.');
    await git('commit', '-q', '-m', 'first');
    await run('git', ['clone', '-q', '--bare', work, source]);
    const authorization = `Basic ${Buffer.from('git:fake-git-secret').toString('base64')}`;
    const tls = await (await makeTestAuthority()).issue('127.0.0.1');
    const server = await startGitServer({ root: folder, tls, authorization });
    // The gate's part: the credential goes in here, and the program never has it.
    gate.knobs.serve = (request, response) => {
      const headers = { ...request.headers, host: `127.0.0.1:${server.port}`, authorization };
      const { method, url: path } = request;
      const upstream = https.request({
        host: '127.0.0.1',
        port: server.port,
        method,
        path,
        headers,
        rejectUnauthorized: false,
      });
      upstream.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      });
      request.pipe(upstream);
    };
    const clone = join(folder, 'clone');
    expect(await runCommand(runOptions(['git', 'clone', '-q', 'https://git.test/source.git', clone]))).toBe(
      0,
    );
    expect(await readFile(join(clone, 'file.txt'), 'utf8')).toContain('content of the clone');
    expect(JSON.stringify(gate.shown)).not.toContain('fake-git-secret');
    await server.close();
  });

  test('has of our own settings only where its hooks ask', async () => {
    const environment = {
      ...process.env,
      SALLYPORT_ADMIN_TOKEN: 'fake-admin-token',
      sallyport_x: 'fake',
      KEPT: 'yes',
    };
    const argv = ['sh', '-c', 'env >"$1"', 'sh', join(folder, 'out')];
    await runCommand({ ...runOptions(argv), environment });
    const seen = await output();
    expect(seen).toContain('KEPT=yes');
    expect(seen).toMatch(/^NO_PROXY=$/m);
    expect(seen).toMatch(/^https_proxy=http:\/\/run:[\w-]+@127\.0\.0\.1:\d+$/m);
    expect(seen.match(/^SALLYPORT_\w+/gm)).toEqual(['SALLYPORT_HOOK_SOCKET']);
    expect(seen).not.toMatch(/sallyport_x|fake-passport|DPoP/);
  });

  test('keeps the certificates that the user had added', async () => {
    const own = join(folder, 'own.pem');
    await writeFile(own, '-----BEGIN CERTIFICATE-----\nfake-own-root\n-----END CERTIFICATE-----\n');
    const argv = ['sh', '-c', 'cat "$SSL_CERT_FILE" >"$1"', 'sh', join(folder, 'out')];
    await runCommand({ ...runOptions(argv), environment: { ...process.env, SSL_CERT_FILE: own } });
    expect(await output()).toContain('fake-own-root');
  });
});

describe('sallyport run', () => {
  test("ends with the command's own code", async () => {
    expect(await shell('exit 0')).toBe(0);
    expect(await shell('exit 42')).toBe(42);
    expect(await shell('kill -TERM $$')).toBe(128 + 15);
  });

  test('passes signals on, and ends when the command does', async () => {
    const ended = shell('trap "exit 7" TERM; : >"$1"; while :; do sleep 0.05; done');
    await expect.poll(() => output().catch(() => null)).toBe('');
    process.emit('SIGTERM');
    expect(await ended).toBe(7);
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  test('leaves nothing behind, neither file nor port', async () => {
    const bundles = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('sallyport-run-'));
    const before = await bundles();
    await shell('echo "$HTTPS_PROXY" >"$1"');
    expect(await bundles()).toEqual(before);
    const { port } = new URL((await output()).trim());
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  });

  test('names a command that is not there, or is no program', async () => {
    const fault = (argv: string[]) => runCommand(runOptions(argv)).catch((cause: unknown) => cause);
    expect(await fault([join(folder, 'nothing')])).toMatchObject({ code: 'command_not_found' });
    await writeFile(join(folder, 'text'), 'words');
    expect(await fault([join(folder, 'text')])).toMatchObject({ code: 'command_not_executable' });
    expect(await fault([])).toBeInstanceOf(TypeError);
  });

  test('starts nothing when it gets no passport', async () => {
    gate.knobs.issuerError = 'invalid_client';
    await expect(shell(': >"$1"')).rejects.toThrow(RelayFault);
    await expect(output()).rejects.toThrow('ENOENT');
  });

  test('says when the command could read the state of the gate, and refuses in strict', async () => {
    const options = { ...runOptions(['sh', '-c', ': >"$0"', join(folder, 'out')]), stateFolder: folder };
    expect(await runCommand(options)).toBe(0);
    expect(notices.join()).toContain(folder);
    await rm(join(folder, 'out'));
    await expect(runCommand({ ...options, strict: true })).rejects.toMatchObject({ code: 'same_user' });
    await expect(output()).rejects.toThrow('ENOENT');
    const elsewhere = { ...options, strict: true, stateFolder: join(folder, 'not-on-this-machine') };
    expect(await runCommand(elsewhere)).toBe(0);
  });
});

describe('one call as an agent', () => {
  test.each(['https://api.test/x?q=1', 'http://api.test/x?q=1', '/s/github/x?q=1'])(
    'goes to %s, with method, fields and body',
    async (target) => {
      const answer = await callOnce(target, {
        ...agentOptions(),
        method: 'PUT',
        headers: [['x-one', 'two']],
        body: Buffer.from('body of the call'),
      });
      const body = await text(answer.body);
      expect(answer.status).toBe(200);
      expect(body).toMatch(/^PUT \S*\/x\?q=1\n[\s\S]*"x-one":"two"[\s\S]*body of the call$/);
    },
  );

  test('streams what it sends', async () => {
    const body = Readable.from(
      (function* () {
        for (let part = 0; part < 100; part += 1) yield Buffer.alloc(50_000, 'p');
      })(),
    );
    const answer = await callOnce('/s/github/upload', { ...agentOptions(), method: 'POST', body });
    expect((await text(answer.body)).match(/p{1000}/g)?.length).toBe(5_000);
  });

  test.each(['https://api.test/', 'http://api.test/', '/s/github/'])(
    'shows a refusal of %s as the answer that it is',
    async (target) => {
      gate.knobs.refuse = 403;
      const answer = await callOnce(target, agentOptions());
      expect(answer.status).toBe(403);
      expect(await text(answer.body)).toContain('policy_denied');
      expect(new Map(answer.headers).get('content-type')).toBe('application/problem+json');
    },
  );

  test('repeats with the nonce that the gateway asks for', async () => {
    gate.knobs.gatewayNonce = 'wanted';
    for (const target of ['https://api.test/', 'http://api.test/', '/s/github/']) {
      expect((await callOnce(target, agentOptions())).status).toBe(200);
    }
  });

  test('takes no other kind of target', async () => {
    for (const target of ['ftp://api.test/', 'api.test', '']) {
      await expect(callOnce(target, agentOptions())).rejects.toThrow(TypeError);
    }
  });
});
