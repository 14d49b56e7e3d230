import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PassportHolder } from '../../src/cli/relay/passport-holder.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import {
  environmentOf,
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  sallyport,
  startServiceProcess,
} from '../support/service-process.ts';

const exec = promisify(execFile);
const SECRET = `fake-${'s'.repeat(32)}`;
const GIT_SECRET = `fake-${'g'.repeat(32)}`;

function missing(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0;
}

describe('real programs through the whole product', () => {
  let home: string;
  let service: ServiceProcess;
  let api: Server;
  let apiUrl: string;
  let git: GitServer;
  const seen: string[] = [];

  beforeAll(async () => {
    home = await newHome();
    const authority = await makeTestAuthority();
    const tls = await authority.issue('localhost');
    api = createServer(tls, (request, response) => {
      seen.push(request.headers.authorization ?? '');
      response.setHeader('x-echo', request.headers.authorization ?? '');
      response.end(JSON.stringify({ path: request.url, echo: request.headers.authorization }));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    apiUrl = `https://localhost:${(api.address() as AddressInfo).port}`;
    await makeRepository(join(home, 'repositories'));
    const basic = `Basic ${Buffer.from(`robot:${GIT_SECRET}`).toString('base64')}`;
    git = await startGitServer({ root: join(home, 'repositories'), tls, authorization: basic });
    await writeFile(join(home, 'ca.pem'), authority.certificatePem);

    service = await startServiceProcess(home);
    const trust = ['--allow-private', '--ca', join(home, 'ca.pem')];
    await mustSallyport(service, [
      'service',
      'add',
      'api',
      '--origin',
      apiUrl,
      '--credential',
      'api-key',
      ...trust,
    ]);
    await mustSallyport(service, ['credential', 'put', 'api-key', '--service', 'api', '--kind', 'bearer'], {
      input: SECRET,
    });
    const gitOrigin = `https://localhost:${git.port}`;
    await mustSallyport(service, [
      'service',
      'add',
      'git',
      '--origin',
      gitOrigin,
      '--credential',
      'git-key',
      ...trust,
    ]);
    const asRobot = ['--kind', 'basic', '--username', 'robot'];
    await mustSallyport(service, ['credential', 'put', 'git-key', '--service', 'git', ...asRobot], {
      input: GIT_SECRET,
    });
    await mustSallyport(service, [
      'agent',
      'add',
      'worker',
      '--owner',
      'team',
      '--scope',
      'api:read',
      '--scope',
      'git:read',
    ]);
  });
  afterAll(async () => {
    await service?.end('SIGKILL');
    api?.close();
    api?.closeAllConnections();
    await git?.close();
    await removeHome(home);
  });

  const runAs = (...argv: string[]) => mustSallyport(service, ['run', '--agent', 'worker', '--', ...argv]);

  function expectCleanAnswer(text: string, path: string): void {
    expect(JSON.parse(text)).toMatchObject({
      path,
      echo: expect.stringMatching(/^Bearer \[sallyport:redacted\]/),
    });
    expect(text).not.toContain(SECRET);
    expect(seen.at(-1)).toBe(`Bearer ${SECRET}`);
  }

  it.skipIf(missing('curl'))('curl in reverse mode, with a passport and a proof in its headers', async () => {
    const agent = JSON.parse(await readFile(join(home, 'keys/agents/worker.json'), 'utf8'));
    const holder = await PassportHolder.open({
      gatewayUrl: service.gatewayUrl,
      issuerUrl: service.controlUrl,
      agent,
    });
    const url = `${service.gatewayUrl}/s/api/v1/items`;
    const { authorization, proof } = await holder.credentials({ htm: 'GET', htu: url });
    const call = ['-sS', '-i', '-H', `Authorization: ${authorization}`, '-H', `DPoP: ${proof}`, url];
    const { stdout } = await exec('curl', call);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 [\s\S]*x-echo: Bearer \[sallyport:redacted\]/i);
    expectCleanAnswer(stdout.split('\r\n\r\n')[1] ?? '', '/v1/items');
    // The same proof again is refused, and curl is told why.
    const again = await exec('curl', call);
    expect(again.stdout).toMatch(/^HTTP\/1\.1 401 [\s\S]*"proof_replayed"/);
  });

  it.skipIf(missing('curl'))('curl through sallyport run', async () => {
    expectCleanAnswer(await runAs('curl', '-sS', `${apiUrl}/curl`), '/curl');
  });

  it('fetch of Node through sallyport run', async () => {
    const script = `process.stdout.write(await (await fetch(${JSON.stringify(`${apiUrl}/node`)})).text())`;
    expectCleanAnswer(await runAs(process.execPath, '--input-type=module', '-e', script), '/node');
  });

  it.skipIf(missing('python3'))('urllib of Python through sallyport run', async () => {
    const script = `import urllib.request as r; print(r.urlopen("${apiUrl}/python").read().decode())`;
    expectCleanAnswer(await runAs('python3', '-c', script), '/python');
  });

  it.skipIf(missing('git'))('git clone over HTTPS through sallyport run, and no push', async () => {
    const clone = join(home, 'clone');
    await runAs('git', 'clone', '-q', `https://localhost:${git.port}/team.git`, clone);
    expect(await readFile(join(clone, 'README'), 'utf8')).toBe('hello\n');
    expect(git.seen.at(-1)).toMatch(/^Basic /);
    const config = await readFile(join(clone, '.git/config'), 'utf8');
    expect(config).not.toContain(GIT_SECRET);
    const push = await sallyport(service, [
      'run',
      '--agent',
      'worker',
      '--',
      'git',
      '-C',
      clone,
      'push',
      '-q',
      'origin',
      'HEAD:refs/heads/x',
    ]);
    expect(push.code).not.toBe(0);
    expect(push.stderr).toContain('403');
  });

  it('a call to a place that no service names is refused, and says so', async () => {
    const answer = await sallyport(service, ['call', '--agent', 'worker', 'https://unknown.example/']);
    expect(answer.code).toBe(1);
    expect(answer.stdout + answer.stderr).toContain('service_unknown');
  });
});

async function makeRepository(root: string): Promise<void> {
  const work = join(root, 'work');
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
  await run('clone', '-q', '--bare', work, join(root, 'team.git'));
}
