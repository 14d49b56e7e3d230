import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decide, newPerson, type TestPerson } from '../support/consent.ts';
import { repositoryRoot } from '../support/shared.ts';
import { type Bench, GATE, openBench } from '../unit/passport/support.ts';

/**
 * The authorization part of MCP's own conformance suite, run as its command against our issuer, with a person without a
 * screen who allows what is asked. The suite knows no DPoP, so the issuer runs with the setting for unbound passports.
 */
let bench: Bench;
let person: TestPerson;
let folder: string;

beforeAll(async () => {
  bench = await openBench({
    bearer: 'loopback',
    clientDocuments: {
      rules: [
        { prefix: 'https://agents.example/', owner: 'team-a', scopes: ['mcp:read'], allowPrivate: false },
      ],
      fetch: () => Promise.reject(new TypeError('nothing is read in this test')),
    },
  });
  person = await newPerson(bench);
  folder = await mkdtemp(join(tmpdir(), 'sallyport-mcp-suite-'));
});
afterAll(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The person goes where the suite says, decides, and the browser follows back to the suite. */
async function goThere(url: string): Promise<void> {
  const page = await person.browser.visit(url);
  const { leftTo } = await decide(person.browser, page);
  if (leftTo === null) throw new Error('the browser was not sent back');
  await fetch(leftTo);
}

test('the suite’s authorization scenarios pass against the issuer', async () => {
  const port = await freePort();
  const { agent } = await bench.room.agents.register(
    {
      name: 'mcp-conformance',
      owner: 'team-a',
      scopes: ['mcp:read'],
      redirectUris: ['http://127.0.0.1/callback'],
      publicClient: true,
    },
    'admin',
  );
  const program = join(repositoryRoot, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const child = spawn(
    process.execPath,
    [program, 'authorization', '--url', bench.issuer, '--client-id', agent.id].concat([
      '--resource',
      GATE,
      '-p',
      String(port),
      '-o',
      folder,
    ]),
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let told = '';
  let went: Promise<void> | null = null;
  const hear = (chunk: Buffer) => {
    told += chunk.toString();
    const [url] = new RegExp(`${bench.issuer}/authorize\\?\\S+(?=\\s)`).exec(told) ?? [];
    if (url !== undefined) went ??= goThere(url);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  await went;
  expect(code, told).toBe(0);
  const checks = await checksIn(folder);
  expect(checks.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      'authorization-server-metadata',
      'authorization-server-metadata-cimd',
      'authorization-code-grant',
    ]),
  );
  expect(checks.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
}, 120_000);

interface Check {
  readonly id: string;
  readonly status: string;
}

async function checksIn(directory: string): Promise<Check[]> {
  const files = (await readdir(directory, { recursive: true })).filter((file) =>
    file.endsWith('checks.json'),
  );
  const lists = await Promise.all(
    files.map(async (file): Promise<Check[]> => JSON.parse(await readFile(join(directory, file), 'utf8'))),
  );
  return lists.flat();
}
