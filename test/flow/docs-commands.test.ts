import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand, parseCommandLine, splitRest } from '../../src/cli/arguments.ts';
import { loadCommands } from '../../src/cli/commands/index.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import {
  environmentOf,
  newHome,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';
import { repositoryRoot } from '../support/shared.ts';

const COMMANDS = await loadCommands();

const run = promisify(execFile);

/** The lines of the ```sh blocks of a page, continued lines joined, comments left out. */
async function shellLines(page: string): Promise<readonly string[]> {
  const text = await readFile(join(repositoryRoot, page), 'utf8');
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block]) => (block ?? '').replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

async function pages(): Promise<readonly string[]> {
  const found = await readdir(join(repositoryRoot, 'docs'), { recursive: true });
  return ['README.md', ...found.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].sort();
}

describe('the commands of README.md and docs/start.md', () => {
  let home: string;
  let service: ServiceProcess;
  let upstream: Server;
  let environment: Record<string, string>;
  let origin: string;

  beforeAll(async () => {
    home = await newHome();
    const authority = await makeTestAuthority();
    upstream = createServer(await authority.issue('localhost'), (request, response) => {
      response.end(
        JSON.stringify({ path: request.url, authorization: request.headers.authorization ?? null }),
      );
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    origin = `https://localhost:${(upstream.address() as AddressInfo).port}`;
    await writeFile(join(home, 'ca.pem'), authority.certificatePem);
    service = await startServiceProcess(home);
    environment = environmentOf(home, {
      SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
      SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
      GITHUB_TOKEN: `fake-${'y'.repeat(30)}`,
    });
    // The commands are typed in the clone.
    await mkdir(join(home, 'bin'));
    await symlink(join(repositoryRoot, 'bin/sallyport'), join(home, 'bin/sallyport'));
  });
  afterAll(async () => {
    await service?.end('SIGKILL');
    upstream?.close();
    upstream?.closeAllConnections();
    await removeHome(home);
  });

  /** As written, but for the one thing that can't be had here: api.github.com is a server of this test. */
  function localized(line: string): string {
    return line
      .replaceAll('https://api.github.com', origin)
      .replace(/(service add github .*)/, `$1 --allow-private --ca ${join(home, 'ca.pem')}`);
  }

  function shell(line: string): Promise<{ readonly code: number | null; readonly output: string }> {
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

  it('docs/start.md leads from nothing to a call, and takes it back', async () => {
    const lines = (await shellLines('docs/start.md')).filter((line) => !line.startsWith('npm '));
    expect(lines.length).toBeGreaterThanOrEqual(9);
    for (const line of lines) {
      const { code, output } = await shell(localized(line));
      expect(code, `${line}\n${output}`).toBe(0);
      if (/sallyport (call|run) /.test(line)) {
        expect(output).toContain('/rate_limit');
        expect(output).not.toContain('y'.repeat(30));
      }
    }
    const after = await shell(
      localized('./bin/sallyport call --agent reviewer https://api.github.com/rate_limit'),
    );
    expect(after.code).not.toBe(0);
  });

  it('README.md shows the same commands, and scripts that exist', async () => {
    const lines = await shellLines('README.md');
    const start = new Set(await shellLines('docs/start.md'));
    const { scripts } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8'));
    for (const line of lines) {
      const script = /^npm (?:run )?(\S+)$/.exec(line)?.[1];
      if (script === undefined) expect(start, line).toContain(line);
      else expect(Object.keys(scripts)).toContain(script);
    }
    expect(lines.slice(0, 2)).toEqual(['npm start', 'npm test']);
  });
});

describe('npm run demo', () => {
  it('ends with exit 0 and says the same as README.md, but for what chance made', async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'demo'], {
      cwd: repositoryRoot,
      env: environmentOf('/nonexistent'),
    });
    const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8');
    const shown = /```text\n(Sallyport demo[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(withoutChance(stdout)).toEqual(withoutChance(shown));
  });

  function withoutChance(text: string): readonly string[] {
    return text
      .trim()
      .split('\n')
      .map((line) =>
        line
          .replace(/(agent|session|alert|token|call)_[\w-]+/g, '$1_…')
          .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
          .replace(/"jkt":"[^"]+"/, '"jkt":"…"')
          .replace(/(exp\s+)\d+/, '$1…')
          .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
          .replace(/[\d.]+ (ms|seconds)/g, '… $1')
          .replace(/\*+[\w+/]?=*"/g, '*"')
          .replace(/\d+ records, \d+ signed|character \d+|record \d+, line \d+/g, '…'),
      );
  }
});

describe('every sallyport command in the docs', () => {
  it('is one that the command line takes', async () => {
    const faults: string[] = [];
    for (const page of await pages()) {
      for (const line of await shellLines(page)) {
        for (const [, words] of line.matchAll(/(?:^|[|;&] *)(?:\.\/bin\/)?sallyport ([^|;&<>]*)/g)) {
          const fault = parseFault((words ?? '').trim());
          if (fault !== null) faults.push(`${page}: ${line}\n    ${fault}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  function parseFault(text: string): string | null {
    const argv = [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
      ([, double, single, plain]) => double ?? single ?? plain ?? '',
    );
    const { head, rest } = splitRest(argv);
    try {
      const found = findCommand(COMMANDS, head);
      if (found === null) return 'there is no such verb';
      parseCommandLine(found.command, found.words, rest);
      return null;
    } catch (fault) {
      return fault instanceof Error ? fault.message : String(fault);
    }
  }
});
