import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestAuthority } from '../support/certificates.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import {
  environmentOf,
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';
import { repositoryRoot } from '../support/shared.ts';

const exec = promisify(execFile);
const SECRET = `fake-${'k'.repeat(32)}`;

/** The lines of the ```sh blocks of a guide. */
async function linesOf(guide: string): Promise<readonly string[]> {
  const text = await readFile(join(repositoryRoot, 'docs/guides', guide), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    (block ?? '').split('\n').filter((line) => line.startsWith('./bin/sallyport ')),
  );
}

function missing(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;
}

describe('the commands of docs/guides', () => {
  let home: string;
  let service: ServiceProcess;
  let upstream: Server;
  let git: GitServer;
  let origin: string;
  let environment: Record<string, string>;
  /** Method, path and credential of each request that came to the upstream. */
  const seen: string[] = [];

  beforeAll(async () => {
    home = await newHome();
    const authority = await makeTestAuthority();
    const tls = await authority.issue('localhost');
    const wheel = makeWheel();
    const tarball = makeTarball();
    upstream = createServer(tls, (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
      answer(request, response, { origin, wheel, tarball });
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    origin = `https://localhost:${(upstream.address() as AddressInfo).port}`;
    await makeRepository(join(home, 'repositories'));
    const basic = `Basic ${Buffer.from(`x-access-token:${SECRET}`).toString('base64')}`;
    git = await startGitServer({ root: join(home, 'repositories'), tls, authorization: basic });
    await writeFile(join(home, 'ca.pem'), authority.certificatePem);
    service = await startServiceProcess(home);
    await mkdir(join(home, 'bin'));
    await symlink(join(repositoryRoot, 'bin/sallyport'), join(home, 'bin/sallyport'));
    await mkdir(join(home, 'project'));
    await writeFile(join(home, 'project/package.json'), '{"name":"project","version":"1.0.0"}');
    environment = environmentOf(home, {
      SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
      SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
      // Programs that find nothing of the developer's own: no .npmrc, no pip.conf, no .gitconfig.
      HOME: home,
      npm_config_registry: `${origin}/npm/`,
      npm_config_cache: join(home, 'npm-cache'),
      npm_config_update_notifier: 'false',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      PIP_INDEX_URL: `${origin}/simple/`,
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
    });
    for (const name of Object.keys(environment)) if (/_proxy$/i.test(name)) delete environment[name];
    const trust = `--allow-private --ca ${join(home, 'ca.pem')} --encoded-slash opaque`;
    await must(`service add api --origin ${origin} --credential key ${trust}`);
    await must(`service add git --origin https://localhost:${git.port} --credential git-key ${trust}`);
    await must(`credential put key --service api --kind bearer`, SECRET);
    await must(`credential put git-key --service git --kind basic --username x-access-token`, SECRET);
    await must('agent add builder --owner team --scope api:read --scope api:write --scope git:read');
  });
  afterAll(async () => {
    await service?.end('SIGKILL');
    upstream?.close();
    upstream?.closeAllConnections();
    await git?.close();
    await removeHome(home);
  });

  interface Ended {
    readonly code: number | null;
    readonly output: string;
  }

  function shell(line: string): Promise<Ended> {
    const child = spawn('sh', ['-c', line], {
      cwd: home,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }

  async function must(words: string, input = ''): Promise<void> {
    await mustSallyport(service, words.split(' '), { input });
  }

  /** As the guide says, but for the hosts, which are servers of this test, and npm's folder. */
  function localized(line: string): string {
    return line
      .replaceAll('https://api.github.com', origin)
      .replaceAll('https://github.com/acme/app.git', `https://localhost:${git.port}/team.git`)
      .replaceAll(' npm ', ' npm --prefix project ');
  }

  /** Runs every `run` and `call` line of a guide; each must succeed with the real credential, which it never saw. */
  async function follow(guide: string, path: RegExp): Promise<string> {
    const lines = (await linesOf(guide)).filter((line) => /^\.\/bin\/sallyport (run|call) /.test(line));
    expect(lines.length).toBeGreaterThanOrEqual(1);
    let all = '';
    for (const line of lines) {
      const before = seen.length;
      const { code, output } = await shell(localized(line));
      expect(code, `${line}\n${output}`).toBe(0);
      expect(output).not.toContain(SECRET);
      const calls = seen.slice(before).filter((call) => path.test(call));
      if (guide !== 'git.md') expect(calls.length, line).toBeGreaterThanOrEqual(1);
      for (const call of calls) expect(call).toContain(`Bearer ${SECRET}`);
      all += output;
    }
    return all;
  }

  it.skipIf(missing('curl'))('curl.md', async () => {
    expect(await follow('curl.md', /rate_limit|issues/)).toContain('[sallyport:redacted]');
    expect(seen.some((call) => call.startsWith('POST /repos/acme/app/issues'))).toBe(true);
  });

  it.skipIf(missing('git'))('git.md', async () => {
    await follow('git.md', /./);
    expect(await readFile(join(home, 'team/README'), 'utf8')).toBe('hello\n');
    expect(git.seen.at(-1)).toMatch(/^Basic /);
  });

  it('npm.md', async () => {
    expect(await follow('npm.md', /left-pad/)).toContain('1.3.0');
    const installed = join(home, 'project/node_modules/left-pad/package.json');
    expect(JSON.parse(await readFile(installed, 'utf8'))).toMatchObject({ version: '1.3.0' });
  });

  it.skipIf(missing('pip'))('pip.md', async () => {
    await follow('pip.md', /demo-package|demo_package/);
    expect(await readdir(join(home, 'wheels'))).toEqual(['demo_package-1.0-py3-none-any.whl']);
  });

  it('node.md', async () => {
    expect(await follow('node.md', /rate_limit/)).toContain('[sallyport:redacted]');
  });

  it.skipIf(missing('python3'))('python.md', async () => {
    expect(await follow('python.md', /rate_limit/)).toContain('[sallyport:redacted]');
  });

  it('the guides that were not run say so', async () => {
    for (const guide of ['go.md', 'java.md', 'gh.md', 'aws.md']) {
      const text = await readFile(join(repositoryRoot, 'docs/guides', guide), 'utf8');
      expect(text).toMatch(/\*Read, not run/);
    }
  });

  it('what the README says of the environment is what a program finds', async () => {
    const text = await readFile(join(repositoryRoot, 'docs/guides/README.md'), 'utf8');
    const { output } = await shell('./bin/sallyport run --agent builder -- env');
    const rows = text.split('\n').filter((line) => line.startsWith('| `'));
    const names = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([A-Za-z_]+)`/g)].map(([, name]) => name),
    );
    expect(names.length).toBeGreaterThanOrEqual(15);
    for (const name of names) expect(output).toMatch(new RegExp(`^${name}=`, 'm'));
  });
});

/** An API that echoes, an npm registry with one package, and a simple index (PEP 503) with one. */
function answer(
  request: IncomingMessage,
  response: ServerResponse,
  o: { readonly origin: string; readonly wheel: Buffer; readonly tarball: Buffer },
): void {
  const path = request.url ?? '';
  if (path === '/npm/left-pad') {
    const integrity = `sha512-${createHash('sha512').update(o.tarball).digest('base64')}`;
    const dist = { tarball: `${o.origin}/npm/left-pad/-/left-pad-1.3.0.tgz`, integrity };
    const version = { name: 'left-pad', version: '1.3.0', dist };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ name: 'left-pad', 'dist-tags': { latest: '1.3.0' }, versions: { '1.3.0': version } }),
    );
  } else if (path.endsWith('.tgz')) {
    response.end(o.tarball);
  } else if (path === '/simple/demo-package/') {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><a href="../../files/demo_package-1.0-py3-none-any.whl">demo</a>');
  } else if (path.endsWith('.whl')) {
    response.end(o.wheel);
  } else {
    response.end(JSON.stringify({ path, echo: request.headers.authorization }));
  }
}

/** A tar archive (POSIX ustar) with the one file that npm needs. */
function makeTarball(): Buffer {
  const content = Buffer.from('{"name":"left-pad","version":"1.3.0"}');
  const header = Buffer.alloc(512);
  header.write('package/package.json');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc(512 - (content.length % 512));
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

/** A wheel (zip, stored) of a package without code; made by Python, which reads it. */
function makeWheel(): Buffer {
  const program = `
import base64, io, sys, zipfile
b = io.BytesIO()
with zipfile.ZipFile(b, 'w') as z:
    d = 'demo_package-1.0.dist-info/'
    z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\\nName: demo-package\\nVersion: 1.0\\n')
    z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr(d + 'RECORD', '')
print(base64.b64encode(b.getvalue()).decode())`;
  const { status, stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
  return status === 0 ? Buffer.from(stdout.trim(), 'base64') : Buffer.alloc(0);
}

async function makeRepository(root: string): Promise<void> {
  const work = join(root, 'team');
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'README'), 'hello\n');
  const env = environmentOf(root, {
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@t.invalid',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@t.invalid',
  });
  const run = (...args: string[]) => exec('git', args, { cwd: work, env });
  await run('init', '-q');
  await run('add', '.');
  await run('commit', '-q', '-m', 'first');
  await exec('git', ['clone', '-q', '--bare', work, join(root, 'team.git')], { env });
}
