import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Echo, MEASURED, PROMISED } from '../support/leak-cases.ts';
import { openLeakGateway } from '../support/leak-gateway.ts';
import { type Arrival, type LeakTransport, scrubberTransport } from '../support/leak-transport.ts';
import type { VectorResult } from './main.ts';

const fileSchema = z.object({
  secrets: z.array(z.object({ id: z.string(), valueParts: z.array(z.string()), sha256: z.string() })),
  cases: z.array(z.object({ id: z.string(), carrier: z.string(), mustStop: z.boolean() })),
});

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_CARRIERS = new Set(['header', 'trailer']);

/** Every promised form of every secret, through a whole gateway over sockets. */
export async function run(path: string): Promise<VectorResult> {
  const gateway = await openLeakGateway();
  try {
    return await runThrough(path, gateway.transport);
  } finally {
    await gateway.close();
  }
}

/** The same through another transport, for all secrets or for those with an id in `only`. */
export async function runThrough(
  path: string,
  transport: LeakTransport,
  only: readonly string[] | null = null,
): Promise<VectorResult> {
  const file = await readFormFile(path);
  const failures: { id: string; why: string }[] = [];
  let total = 0;
  for (const form of file.cases.filter(({ mustStop }) => mustStop)) {
    for (const [at, secret] of file.secrets.entries()) {
      if (only?.includes(secret.id) === false) continue;
      if (HEADER_CARRIERS.has(form.carrier) && /[\r\n]/.test(secret.value)) continue;
      if (form.id === 'field-name' && !TOKEN.test(secret.value)) continue;
      total++;
      const next = file.secrets[(at + 1) % file.secrets.length];
      const why = await faultOf(form.id, secret.value, next?.value ?? secret.value, transport);
      if (why !== null) failures.push({ id: `${form.id} ${secret.id}`, why });
    }
  }
  return { passed: total - failures.length, total, failures };
}

/** Of the forms that nobody can promise to stop: how many of the secrets were stopped all the same. */
export async function measure(
  path: string,
): Promise<readonly { readonly id: string; readonly stopped: number; readonly of: number }[]> {
  const file = await readFormFile(path);
  const results = [];
  for (const [id, form] of Object.entries(MEASURED)) {
    let stopped = 0;
    for (const { value } of file.secrets) {
      const bytes = Buffer.from(form(value));
      const arrival = await scrubberTransport(plainEcho(value, bytes));
      if (!arrival.body.includes(bytes)) stopped++;
    }
    results.push({ id, stopped, of: file.secrets.length });
  }
  return results;
}

async function readFormFile(path: string) {
  const file = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const secrets = file.secrets.map(({ id, valueParts, sha256 }) => {
    const value = valueParts.join('');
    if (createHash('sha256').update(value).digest('hex') !== sha256)
      throw new Error(`${id} has another digest`);
    return { id, value };
  });
  return { secrets, cases: file.cases };
}

async function faultOf(
  form: string,
  secret: string,
  next: string,
  transport: LeakTransport,
): Promise<string | null> {
  const build = PROMISED[form];
  if (build === undefined) return 'no builder for this form';
  const built = build(secret, next);
  for (const echo of Array.isArray(built) ? (built as readonly Echo[]) : [built as Echo]) {
    const why = await transport(echo).then(
      (arrival) => faultIn(echo, arrival),
      (error: unknown) => `the answer did not arrive: ${String(error)}`,
    );
    if (why !== null) return why;
  }
  return null;
}

/** Why an arrival is no good: a piece of the secret, or a head that is not true; null: it is good. */
export function faultIn(echo: Echo, arrival: Arrival): string | null {
  const fields = [...arrival.headers, ...arrival.interim, ...arrival.trailers];
  const seen = Buffer.concat([
    Buffer.from([arrival.reason, ...fields.flat()].join('\n'), 'latin1'),
    Buffer.from('\n'),
    arrival.body,
  ]);
  for (const forbidden of echo.forbidden) {
    if (holdsPiece(seen, forbidden)) return 'a piece of the secret arrived';
  }
  const names = new Map(arrival.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const length = names.get('content-length');
  if (length !== undefined && Number(length) !== arrival.body.length)
    return 'Content-Length is not the length';
  if (names.has('content-encoding')) return 'Content-Encoding names a coding that is gone';
  return echo.json && !isJson(arrival.body) ? 'the body is no JSON any more' : null;
}

/** True when more than half of the form arrived in one piece. */
function holdsPiece(seen: Buffer, form: Buffer): boolean {
  const length = (form.length >> 1) + 1;
  for (let at = 0; at + length <= form.length; at++) {
    if (seen.includes(form.subarray(at, at + length))) return true;
  }
  return false;
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function plainEcho(secret: string, bytes: Buffer): Echo {
  return {
    status: 200,
    reason: 'OK',
    headers: [],
    interim: null,
    chunks: [bytes],
    pauseMs: 0,
    trailers: [],
    forbidden: [],
    injected: [secret],
    json: false,
  };
}
