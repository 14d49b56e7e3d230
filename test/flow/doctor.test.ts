import {
  appendFile,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAuthority } from '../../src/cli/doctor/checks/authority.ts';
import { checkClock } from '../../src/cli/doctor/checks/clock.ts';
import { room } from '../../src/cli/doctor/checks/data.ts';
import { checkUsers } from '../../src/cli/doctor/checks/posture.ts';
import { checkProgram, runtime } from '../../src/cli/doctor/checks/program.ts';
import { checkRegistry } from '../../src/cli/doctor/checks/registry.ts';
import type { Patient } from '../../src/cli/doctor/patient.ts';
import { startService } from '../../src/compose/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { type CliAnswer, cli } from '../support/cli.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { repositoryRoot } from '../support/shared.ts';

interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly level: string;
    readonly what: string;
    readonly remedy: string | null;
  }[];
}

function reportOf({ code, out, err }: CliAnswer): Report {
  expect(err).toBe('');
  return { code, ...JSON.parse(out) };
}

let scratch: string;
/** A stopped installation with an agent, a service and a credential's absence in it; copied, then broken. */
let template: string;
let ports: Readonly<Record<string, string>>;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sallyport-doctor-'));
  template = join(scratch, 'template');
  await mkdir(template);
  const service = await startIn(template);
  ports = {
    SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
    SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
  };
  const here = { ...ports, SALLYPORT_HOME: template };
  await cli(here, 'service', 'add', 'example', '--origin', 'https://api.example.com');
  await cli(here, 'agent', 'add', 'builder', '--owner', 'team', '--scope', 'example:read');
  await cli(here, 'ca', 'status');
  await service.stop('test');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

function startIn(home: string) {
  const environment = { SALLYPORT_HOME: home, SALLYPORT_CONTROL_PORT: '0', SALLYPORT_GATEWAY_PORT: '0' };
  const config = loadConfig({ environment, defaultHome: repositoryRoot });
  return startService({ config, isTerminal: false, onFault: () => undefined });
}

let copies = 0;
async function copy(): Promise<string> {
  copies += 1;
  const home = join(scratch, `home-${copies}`);
  await cp(template, home, { recursive: true });
  return home;
}

async function examined(
  home: string,
  more: Readonly<Record<string, string>> = {},
  ...args: string[]
): Promise<Report> {
  return reportOf(await cli({ ...ports, SALLYPORT_HOME: home, ...more }, 'doctor', '--json', ...args));
}

/** Breaks a copy, and expects exactly one check to see it, with a way to mend it. */
async function expectFault(
  check: string,
  what: RegExp,
  breakIt: (home: string) => Promise<void>,
  ...args: string[]
) {
  const home = await copy();
  await breakIt(home);
  const report = await examined(home, {}, ...args);
  const faults = report.findings.filter(({ level }) => level === 'fault');
  expect(report.code, JSON.stringify(faults)).toBe(1);
  expect(faults.map((one) => one.check)).toContain(check);
  expect(faults.find((one) => one.check === check)?.what).toMatch(what);
  for (const { remedy } of faults) expect(remedy).toMatch(/\w{3}/);
  return { home, faults };
}

describe('a stopped installation', () => {
  it('that is whole has no fault, is told so in words, and is not changed by looking', async () => {
    const before = await snapshot(template);
    const report = await examined(template);
    expect(report.findings.filter(({ level }) => level === 'fault')).toEqual([]);
    expect(report).toMatchObject({ code: 0, ok: true });
    const words = await cli({ ...ports, SALLYPORT_HOME: template }, 'doctor');
    expect(words.out).toContain('The database is whole and up to date.');
    expect(await snapshot(template)).toEqual(before);
  });

  it('that stands in a clone is not blamed for the files that come with the clone', async () => {
    const home = await copy();
    for (const name of ['README.md', '.gitignore']) {
      await cp(join(repositoryRoot, 'keys', name), join(home, 'keys', name));
      await chmod(join(home, 'keys', name), 0o644);
    }
    expect((await examined(home)).findings.filter(({ level }) => level === 'fault')).toEqual([]);
  });

  it('that was never started is not ill', async () => {
    const home = join(scratch, 'empty');
    await mkdir(home);
    const report = await examined(home);
    expect(report.code).toBe(0);
    expect(await readdir(home)).toEqual([]);
  });

  it('with faulty settings is told all of them at once', async () => {
    const home = await copy();
    await writeFile(join(home, 'sallyport.yaml'), 'gateway:\n  prot: 1\ncontrol:\n  port: 70000\n');
    const { code, findings } = await examined(home, { SALLYPORT_CONTROL_PORT: '70000' });
    expect(code).toBe(1);
    const faults = findings.filter(({ level }) => level === 'fault');
    expect(faults.map(({ what }) => what).join('\n')).toMatch(
      /did you mean port[\s\S]*control\.port|control\.port[\s\S]*did you mean port/,
    );
  });

  it('shows keys that others can read, with the command that closes them', async () => {
    const { home, faults } = await expectFault('keys', /root\.key can be read or changed by others/, (at) =>
      chmod(join(at, 'keys/root.key'), 0o644),
    );
    expect(faults[0]?.remedy).toBe(`Run: chmod 600 ${join(home, 'keys/root.key')}`);
    await expectFault('keys', /keys can be entered by others/, (at) => chmod(join(at, 'keys'), 0o755));
    await expectFault('data', /data can be entered by others/, (at) => chmod(join(at, 'data'), 0o755));
  });

  it.each([
    ['root.key', /root\.key has 7 bytes instead of 32/],
    ['vault.json', /vault\.json is damaged/],
    ['passport-signing.json', /passport-signing\.json is damaged/],
    ['passport-pepper.key', /passport-pepper\.key must hold 64/],
    ['admin-pepper.key', /admin-pepper\.key must hold 64/],
    ['audit-checkpoint.key', /audit-checkpoint\.key is unfinished/],
  ])('shows a %s that was cut off, and one that is gone', async (name, what) => {
    await expectFault('keys', what, (home) => truncate(join(home, 'keys', name), 7));
    await expectFault('keys', /missing|lacks/, (home) => rm(join(home, 'keys', name)));
  });

  it('shows a root key that is not the one of this vault, and a link in place of a file', async () => {
    await expectFault('keys', /is not the root key/, (home) =>
      writeFile(join(home, 'keys/root.key'), Buffer.from(Array.from({ length: 32 }, (_, at) => at))),
    );
    await expectFault('keys', /is no plain file/, async (home) => {
      await cp(join(home, 'keys/root.key'), join(home, 'elsewhere'));
      await rm(join(home, 'keys/root.key'));
      await symlink(join(home, 'elsewhere'), join(home, 'keys/root.key'));
    });
  });

  it('shows a database that is damaged, foreign, or of a newer program', async () => {
    await expectFault('database', /not an SQLite database/, (home) =>
      writeFile(join(home, 'data/sallyport.db'), 'fake '.repeat(1000)),
    );
    await expectFault('database', /another program/, async (home) => {
      await rm(join(home, 'data/sallyport.db'));
      const other = new DatabaseSync(join(home, 'data/sallyport.db'));
      other.exec('create table notes (text)');
      other.close();
    });
    await expectFault('database', /written by a newer Sallyport/, async (home) => {
      const database = new DatabaseSync(join(home, 'data/sallyport.db'));
      database.exec(`insert into sallyport_migrations values (999, 'later', 'x', 1)`);
      database.close();
    });
  });

  it('shows a log whose end was changed or cut; --deep sees the rest', async () => {
    const segment = 'data/audit/0000000000000001.jsonl';
    await expectFault('audit', /hash/, async (home) => {
      const text = await readFile(join(home, segment), 'utf8');
      await writeFile(join(home, segment), text.replace('"team"', '"taem"'));
    });
    const cut = async (home: string) => {
      const lines = (await readFile(join(home, segment), 'utf8')).split('\n');
      await writeFile(join(home, segment), `${lines.slice(0, -3).join('\n')}\n`);
    };
    await expectFault('audit', /its end was cut off/, cut);
    await expectFault('audit', /broken at record/, cut, '--deep');
  });

  it('shows policies and detection rules that do not load', async () => {
    await expectFault('policies', /broken\.cedar/, (home) =>
      writeFile(join(home, 'policies/broken.cedar'), 'permit (principal'),
    );
    await expectFault('policies', /bad\.yaml/, (home) =>
      writeFile(join(home, 'policies/detection/bad.yaml'), 'rules: 7\n'),
    );
    await expectFault('policies', /policies is missing/, (home) =>
      rm(join(home, 'policies'), { recursive: true }),
    );
  });

  it('warns of a service that no policy opens, and of a certificate authority that is cut off', async () => {
    const home = await copy();
    for (const name of ['scopes.cedar', 'risk.cedar', 'scopes.cases.yaml', 'risk.cases.yaml']) {
      await rm(join(home, 'policies', name));
    }
    const warned = (await examined(home)).findings.filter(({ level }) => level === 'warning');
    expect(warned.map(({ what }) => what)).toContainEqual(
      expect.stringContaining('No policy opens the service example'),
    );
    expect((await cli({ ...ports, SALLYPORT_HOME: home }, 'doctor', '--strict')).code).toBe(1);
    await expectFault('authority', /gateway-ca\.json does not hold/, (at) =>
      truncate(join(at, 'keys/gateway-ca.json'), 20),
    );
  });

  it('shows another program on its port', async () => {
    const other: Server = createServer((socket) => socket.end('220 not http\r\n'));
    await new Promise<void>((resolve) =>
      other.listen(Number(ports.SALLYPORT_GATEWAY_PORT), '127.0.0.1', resolve),
    );
    try {
      await expectFault('service', /gateway: another program holds 127\.0\.0\.1/, async () => undefined);
    } finally {
      other.close();
    }
    await expectFault('service', /does not have the address/, (home) =>
      appendFile(join(home, 'sallyport.yaml'), 'gateway:\n  host: 203.0.113.9\n'),
    );
  });
});

describe('a running installation', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ SALLYPORT_GATEWAY_BEARER: 'loopback' });
  });
  afterAll(() => service.close());

  async function findings() {
    const report = reportOf(await cli(service.environment, 'doctor', '--json'));
    return report.findings.filter(({ level }) => level !== 'ok').map(({ what }) => what);
  }

  it('answers, and tells what an administrator weakened', async () => {
    expect(reportOf(await cli(service.environment, 'doctor', '--json'))).toMatchObject({ code: 0 });
    expect(await findings()).toContainEqual(expect.stringContaining('gateway.bearer'));
  });

  it('tells credentials that are missing or unused, agents whose key lies beside the gate, absent decoys', async () => {
    await cli(
      service.environment,
      'service',
      'add',
      'lonely',
      '--origin',
      'https://lonely.example.com',
      '--credential',
      'absent',
    );
    await cli(service.environment, 'agent', 'add', 'builder', '--owner', 'team', '--scope', 'other:read');
    const found = await findings();
    expect(found).toContainEqual(expect.stringContaining('credential absent, which does not exist'));
    expect(found).toContainEqual(expect.stringContaining('No agent has a scope of the service lonely'));
    expect(found).toContainEqual(expect.stringContaining('Keys of 1 agents lie in the gate'));
    expect(found).toContainEqual('No decoy is planted.');
  });

  it('tells an agent whose key never worked, with the error that it got', async () => {
    const { id } = JSON.parse((await cli(service.environment, 'agent', 'show', 'builder', '--json')).out);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: id,
      client_secret: 'fake-wrong',
    });
    const answer = await fetch(`${service.controlUrl}/token`, { method: 'POST', body });
    expect(answer.status).toBe(401);
    expect(await findings()).toContainEqual(
      expect.stringMatching(/key of the agent builder never worked.*invalid_client/),
    );
  });

  it('that does not take the token is told from one that is down', async () => {
    const report = reportOf(
      await cli(
        { ...service.environment, SALLYPORT_ADMIN_TOKEN: `sp_admin_${'A'.repeat(43)}` },
        'doctor',
        '--json',
      ),
    );
    expect(report.code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        check: 'service',
        level: 'fault',
        what: expect.stringContaining('does not let this command in'),
      }),
    );
  });
});

describe('what can not be broken by hand', () => {
  it('a Node that is too old, packages that are not the locked ones, a disk that is full', async () => {
    expect(runtime('22.4.0').level).toBe('fault');
    expect(runtime('24.0.0').level).toBe('ok');
    const root = join(scratch, 'program');
    await mkdir(join(root, 'node_modules'), { recursive: true });
    await writeFile(join(root, 'package-lock.json'), '{}');
    expect(checkProgram({ programRoot: root })[1]).toMatchObject({ level: 'warning' });
    await writeFile(join(root, 'node_modules/.sallyport-lock'), 'of another lockfile\n');
    expect(checkProgram({ programRoot: root })[1]?.what).toContain('has changed');
    expect(room('/data', 1024)[0]?.level).toBe('fault');
    expect(room('/data', 500 * 1024 * 1024)[0]?.level).toBe('warning');
    expect(room('/data', 50 * 1024 ** 3)).toEqual([]);
  });

  it('a clock that is lost or was set back, and a certificate authority that ended', async () => {
    const config = loadConfig({ environment: { SALLYPORT_HOME: template }, defaultHome: repositoryRoot });
    expect((await checkClock({ config, now: Date.UTC(1970, 0, 2) }))[0]).toMatchObject({ level: 'fault' });
    expect((await checkClock({ config, now: Date.now() - 3_600_000 }))[0]?.what).toContain('set back');
    expect((await checkClock({ config, now: Date.now() }))[0]?.level).toBe('ok');
    expect(checkAuthority({ config, now: Date.now() })[0]?.level).toBe('ok');
    expect(checkAuthority({ config, now: Date.now() + 365 * 24 * 3_600_000 })[0]?.what).toContain('ended at');
    expect(checkUsers({ config, uid: 4_000_000 })[0]?.level).toBe('ok');
  });

  it('agents that never came, and credentials that nobody uses', async () => {
    const config = loadConfig({ environment: { SALLYPORT_HOME: template }, defaultHome: repositoryRoot });
    const agent = { id: 'agent_x', name: 'idle', status: 'active', scopes: ['a:read'], createdAt: 0 };
    const patient: Patient = {
      programRoot: repositoryRoot,
      config,
      service: { kind: 'down' },
      inventory: {
        agents: [agent],
        services: [],
        credentials: [{ name: 'old', status: 'active' }],
        decoys: 0,
      },
      now: Date.now(),
      deep: false,
      uid: null,
    };
    const found = (await checkRegistry(patient)).map(({ what }) => what);
    expect(found).toEqual([
      'The agent idle never asked for a passport.',
      'No service uses the credential old.',
    ]);
  });
});

/** Every file with its bytes. */
async function snapshot(home: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    // SQLite's shared memory is not content: a reader may make it.
    if (!entry.isFile() || /-(shm|wal)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    found[path] = (await readFile(path)).toString('base64');
  }
  return found;
}
