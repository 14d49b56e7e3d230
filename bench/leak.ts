import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTestAuthority } from '../test/support/certificates.ts';
import { type Echo, PROMISED } from '../test/support/leak-cases.ts';
import { openLeakGateway, openUpstream } from '../test/support/leak-gateway.ts';
import { type LeakTransport, scrubberTransport } from '../test/support/leak-transport.ts';
import { findVectors } from '../test/support/shared.ts';
import { faultIn } from '../test/vectors/secrets-leak.ts';
import { CHANNELS, cleanBodies } from './leak/channels.ts';
import { formListDigest, madeUpSecrets, spellingsOf } from './leak/forms.ts';
import { peerTransport } from './leak/peer-transport.ts';
import { Child } from './lib/child.ts';
import { printTable, type Row } from './lib/report.ts';
import { NPM_PEERS } from './peers/peer.ts';
import { isInstalled, PROGRAM_PEERS, startProgram } from './peers/programs.ts';

/**
 * Every promised form of fake secrets on every channel, through the scrubber, through a whole gateway, and
 * through the peers. Ends with 1 when the gate lets one through, or changes a clean body.
 */
const PAGE = fileURLToPath(new URL('../docs/limits.md', import.meta.url));
const [BEGIN, END] = ['<!-- leak-test: begin -->', '<!-- leak-test: end -->'];
/** Splits that go over sockets; the scrubber gets every one. */
const SPLITS_ON_SOCKETS = 8;

interface Tally {
  stopped: number;
  of: number;
}

const faults: string[] = [];
const secrets = [...madeUpSecrets(), ...sharedSecrets()];
const [first = ''] = secrets;
const table: Row[] = [];
const upstream = await openUpstream();
const gateway = await openLeakGateway();
const peers = new Map<string, { stop(): Promise<void>; transport: LeakTransport }>();
try {
  for (const { name, script } of NPM_PEERS) {
    const child = await Child.start(script, { secret: first, upstreamCa: '', plain: true });
    const transport = peerTransport(Number(child.ready.port), 'forward', upstream);
    peers.set(name, { stop: () => child.stop(), transport });
  }
  const { certificatePem } = await makeTestAuthority('No upstream of this test');
  for (const program of PROGRAM_PEERS.filter(({ command }) => isInstalled(command))) {
    const input = { secret: first, upstreamPort: upstream.port, upstreamCa: certificatePem };
    const { port, stop } = await startProgram(program, input);
    const mode = program.mode === 'intercept' ? 'forward' : 'reverse';
    peers.set(program.name, { stop, transport: peerTransport(port, mode, upstream) });
  }
  for (const channel of CHANNELS) {
    const cells = (all: readonly string[], few: boolean) =>
      all.flatMap((secret) =>
        spellingsOf(secret).flatMap((spelling) => {
          const echoes = channel.echoes(spelling, secret);
          return echoes === null
            ? []
            : [{ id: `${spelling.id}, ${channel.name}`, echoes: few ? spread(echoes) : echoes }];
        }),
      );
    const row: Record<string, string> = { channel: channel.name };
    row.scrubber = await through('scrubber', scrubberTransport, cells(secrets, false));
    row.gateway = await through('gateway', gateway.transport, cells(secrets.slice(0, 3), true));
    for (const [name, { transport }] of peers)
      row[name] = await through(null, transport, cells([first], true).map(middleOnly));
    table.push(row);
    process.stderr.write(`${channel.name}\n`);
  }
  const rest = (all: readonly string[]) =>
    all.flatMap((secret) =>
      Object.entries(PROMISED).map(([id, build]) => {
        const built = build(secret, 'fake-next-secret');
        return { id, echoes: Array.isArray(built) ? (built as readonly Echo[]) : [built as Echo] };
      }),
    );
  // Line ends and blanks in a field, and a field name that is no token, are no answers that anybody can send.
  const sendable = secrets.filter((secret) => /^[\w/+=-]+$/.test(secret)).slice(0, 1);
  table.push({
    channel: 'each form as secrets-leak.json has it',
    scrubber: await through('scrubber', scrubberTransport, rest(sendable)),
  });
  const changed = await changedBodies();
  printTable(table);
  console.log(
    `clean bodies: ${changed.of}, changed: ${changed.changed}; secrets: ${secrets.length}; forms: ${Object.keys(PROMISED).length}`,
  );
  if (changed.changed > 0) faults.push(`${changed.changed} clean bodies were changed`);
  if (process.argv.includes('--write')) await writePage();
} finally {
  for (const { stop } of peers.values()) await stop();
  await gateway.close();
  upstream.close();
}
for (const fault of faults.slice(0, 50)) console.log(`leak-test: ${fault}`);
console.log(
  faults.length === 0
    ? 'leak-test: every form was stopped on every channel'
    : `leak-test: ${faults.length} faults`,
);
process.exit(faults.length === 0 ? 0 : 1);

interface Cell {
  readonly id: string;
  readonly echoes: readonly Echo[];
}

/** `who`: what leaks here is a fault of ours; null: a peer, which is counted alone. */
async function through(
  who: string | null,
  transport: LeakTransport,
  cells: readonly Cell[],
): Promise<string> {
  const tally: Tally = { stopped: 0, of: 0 };
  for (const { id, echoes } of cells) {
    tally.of += 1;
    const why = await firstFault(transport, echoes);
    if (why === null) tally.stopped += 1;
    else if (who !== null) faults.push(`${who}: ${id}: ${why}`);
  }
  return `${tally.stopped} of ${tally.of}`;
}

async function firstFault(transport: LeakTransport, echoes: readonly Echo[]): Promise<string | null> {
  for (const echo of echoes) {
    const why = await transport(echo).then(
      (arrival) => faultIn(echo, arrival),
      (fault: unknown) => `the answer did not arrive: ${String(fault)}`,
    );
    if (why !== null) return why;
  }
  return null;
}

function spread(echoes: readonly Echo[]): readonly Echo[] {
  const step = Math.max(1, Math.floor(echoes.length / SPLITS_ON_SOCKETS));
  return echoes.filter((_, at) => at % step === 0);
}

function middleOnly({ id, echoes }: Cell): Cell {
  return { id, echoes: echoes.slice(echoes.length >> 1, (echoes.length >> 1) + 1) };
}

async function changedBodies(): Promise<{ readonly of: number; readonly changed: number }> {
  let of = 0;
  let changed = 0;
  for (const secret of secrets.slice(0, 3)) {
    for (const body of cleanBodies(secret, randomBytes(64 * 1024))) {
      for (const transport of [scrubberTransport, gateway.transport]) {
        const chunks = [body.subarray(0, body.length >> 1), body.subarray(body.length >> 1)];
        const arrival = await transport({
          ...{
            status: 200,
            reason: 'OK',
            headers: [['content-type', 'application/octet-stream']],
            interim: null,
            chunks,
          },
          ...{ pauseMs: 0, trailers: [], forbidden: [], injected: [secret], json: false },
        });
        of += 1;
        if (!arrival.body.equals(body)) changed += 1;
      }
    }
  }
  return { of, changed };
}

/** The shared vectors are no part of a release; with them their secrets are tried, too. */
function sharedSecrets(): readonly string[] {
  const vectors = findVectors();
  if (vectors === null) return [];
  const file = JSON.parse(readFileSync(join(vectors, 'secrets-leak.json'), 'utf8')) as {
    secrets: { valueParts: string[] }[];
  };
  return file.secrets.map(({ valueParts }) => valueParts.join('')).filter((secret) => !/[\r\n]/.test(secret));
}

async function writePage(): Promise<void> {
  const columns = ['channel', 'scrubber', 'gateway', ...peers.keys()];
  const line = (cells: readonly unknown[]) => `| ${cells.map((cell) => cell ?? '').join(' | ')} |`;
  const lines = [
    line(columns),
    line(columns.map(() => '---')),
    ...table.map((row) => line(columns.map((name) => row[name]))),
  ];
  const page = await readFile(PAGE, 'utf8');
  const from = page.indexOf(BEGIN) + BEGIN.length;
  const to = page.indexOf(END);
  if (to < 0) throw new Error(`${PAGE} has no place for the table`);
  await writeFile(
    PAGE,
    `${page.slice(0, from)}\n<!-- forms: ${formListDigest()} -->\n\n${lines.join('\n')}\n\n${page.slice(to)}`,
  );
}
