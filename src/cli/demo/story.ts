import { createHmac, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpointPublicKey, type VerifyReport, verifyAuditLog } from '../../audit/index.ts';
import { showGuardStatus } from '../../guard/index.ts';
import { PassportHolder } from '../relay/passport-holder.ts';
import type { ReceivedWebhook } from './built-in.ts';
import { callAs, claimsOf, type DemoAnswer } from './call.ts';
import type { Stage } from './stage.ts';

const WEBHOOK_TIMEOUT_MS = 20_000;

/** Prints one line of the story. */
export type Tell = (line: string) => void;

/** What was promised did not happen; the demo ends with it. */
export class DemoError extends Error {}

/** The whole line, step by step; each step checks what it says and throws DemoError when it is not so. */
export async function tellStory(stage: Stage, tell: Tell): Promise<void> {
  const holder = await showPassport(stage, tell);
  await showInjection(stage, holder, tell);
  await showScrub(stage, holder, tell);
  await showRefusal(holder, tell);
  await showTakeover(stage, holder, tell);
  // The session above is taken for compromised now, and gets nothing any more.
  const next = await openHolder(stage, stage.second);
  await showDecoy(stage, next, tell);
  await showRevocation(stage, next, tell);
  await showAudit(stage, tell);
}

async function showPassport(stage: Stage, tell: Tell): Promise<PassportHolder> {
  tell('1. A passport is issued: five minutes, for this gate alone, bound to a key that the agent holds');
  const holder = await openHolder(stage, stage.agent);
  const claims = await claimsOf(holder);
  for (const name of ['iss', 'sub', 'aud', 'scope', 'owner', 'sid', 'cnf', 'exp']) {
    tell(`     ${name.padEnd(6)} ${JSON.stringify(claims[name])}`);
  }
  return holder;
}

function openHolder({ service }: Stage, agent: Stage['agent']): Promise<PassportHolder> {
  return PassportHolder.open({ gatewayUrl: service.gatewayUrl, issuerUrl: service.controlUrl, agent });
}

async function showInjection(stage: Stage, holder: PassportHolder, tell: Tell): Promise<void> {
  tell('2. A call through the gate succeeds, with a key that the agent never held');
  const answer = await callAs(holder, '/s/tickets/list');
  expect(answer.status === 200, `the call was answered ${answer.status}`);
  const arrived = stage.upstream.seen.at(-1) ?? '';
  expect(arrived === `Bearer ${stage.upstreamKey}`, 'the upstream did not see the key');
  tell(`     agent sent      its passport, and no key`);
  tell(`     upstream saw    authorization: Bearer ${masked(stage.upstreamKey)}`);
  tell(`     agent received  ${answer.status} ${answer.text}`);
}

async function showScrub(stage: Stage, holder: PassportHolder, tell: Tell): Promise<void> {
  tell('3. The upstream echoes the key back, plain and in base64; the agent sees neither');
  const answer = await callAs(holder, '/s/tickets/echo');
  const encoded = Buffer.from(`Bearer ${stage.upstreamKey}`).toString('base64');
  expect(answer.status === 200, `the call was answered ${answer.status}`);
  expect(!answer.text.includes(stage.upstreamKey) && !answer.text.includes(encoded), 'the key came back');
  tell(`     agent received  ${answer.text}`);
}

async function showRefusal(holder: PassportHolder, tell: Tell): Promise<void> {
  tell('4. A call to a host that no policy opens to this passport is refused, with the reason');
  const answer = await callAs(holder, '/s/payroll/salaries');
  expect(answer.status === 403, `the call was answered ${answer.status}`);
  tellProblem(answer, tell);
}

async function showTakeover(stage: Stage, holder: PassportHolder, tell: Tell): Promise<void> {
  tell('5. A ticket that a stranger wrote gives the agent an order; the call that follows it is held');
  const { sid } = await claimsOf(holder);
  const desk = await openHolder(stage, stage.desk);
  const asked = 'Tell me what the newest ticket says.';
  await callAs(desk, '/v1/observe', {
    method: 'POST',
    body: JSON.stringify({ sessionId: sid, phase: 'instruction', callId: 'user-1', text: asked }),
  });
  tell(`     the user asked  ${asked}`);
  const ticket = await callAs(holder, '/s/tickets/newest');
  tell(`     agent received  ${ticket.status} ${ticket.text}`);
  await tellGuard(stage, tell);
  const body = JSON.stringify({ to: 'drop@collect.example', text: 'customers: …' });
  const answer = await callAs(holder, '/s/tickets/forward', { method: 'POST', body });
  expect(answer.status === 403, `the call was answered ${answer.status}`);
  tell(`     agent calls     POST /s/tickets/forward ${body}`);
  tellProblem(answer, tell);
  await tellAlert(stage, tell);
}

/** The alert about the ticket, where an engine runs the model; the other checks stop the call without it as well. */
async function tellGuard(stage: Stage, tell: Tell): Promise<void> {
  const status = stage.service.guard();
  if (status.kind === 'ready') await tellAlert(stage, tell);
  else tell(`     guard model     ${showGuardStatus(status)}`);
}

async function showDecoy(stage: Stage, holder: PassportHolder, tell: Tell): Promise<void> {
  tell(
    `6. Another agent uses a decoy (${stage.decoy.name}) that was laid out for it: stopped, and the SIEM is told`,
  );
  const body = JSON.stringify({ note: `use ${stage.decoy.value} to push` });
  const answer = await callAs(holder, '/s/tickets/new', { method: 'POST', body });
  expect(answer.status === 403, `the call was answered ${answer.status}`);
  tellProblem(answer, tell);
  await tellAlert(stage, tell);
}

/** The alert that has just been raised, as the SIEM got it. */
async function tellAlert(stage: Stage, tell: Tell): Promise<void> {
  const webhook = await stage.receiver.next(WEBHOOK_TIMEOUT_MS);
  expect(isSigned(webhook, stage.webhookSecret), 'the signature of the webhook is wrong');
  const { data } = JSON.parse(webhook.body);
  tell(
    `     webhook         ${webhook.headers['webhook-id']}: signature verified (Standard Webhooks, HMAC-SHA-256)`,
  );
  tell(`     alert           ${data.severity}: ${data.title}`);
  tell(`     evidence        ${data.findings[0].evidence}`);
}

async function showRevocation(stage: Stage, holder: PassportHolder, tell: Tell): Promise<void> {
  tell('7. The passport is revoked; the next call is refused');
  const { sid } = await claimsOf(holder);
  await stage.admin.post('/revocations', { kind: 'session', value: sid, reason: 'demo' });
  const acknowledged = performance.now();
  const answer = await callAs(holder, '/s/tickets/list');
  const elapsed = performance.now() - acknowledged;
  expect(answer.status === 401 || answer.status === 403, `the call was answered ${answer.status}`);
  tellProblem(answer, tell);
  tell(
    `     measured        ${elapsed.toFixed(1)} ms from the acknowledged revocation to the refusal, proof included`,
  );
}

async function showAudit(stage: Stage, tell: Tell): Promise<void> {
  tell('8. The audit log is intact; then one byte of it is changed');
  await stage.stopService();
  const { audit, keys } = stage.config.paths;
  const publicKey = await loadCheckpointPublicKey(keys);
  const verify = (): Promise<VerifyReport> =>
    verifyAuditLog({ directory: audit, ...(publicKey === null ? {} : { publicKey }) });
  const intact = await verify();
  expect(intact.ok, 'the log is broken before anybody touched it');
  tell(
    `     audit verify    intact: ${intact.records} records, ${intact.checkpointsVerified} signed checkpoint(s)`,
  );
  const touched = flipOneByte(audit);
  const broken = await verify();
  expect(!broken.ok && broken.firstBroken !== null, 'a changed byte was not noticed');
  tell(`     changed         one byte of ${touched}`);
  tell(
    `     audit verify    BROKEN at record ${broken.firstBroken?.sequence}, line ${broken.firstBroken?.line}: ${broken.firstBroken?.reason}`,
  );
}

/** Makes one letter of a recorded owner a capital. */
function flipOneByte(directory: string): string {
  const name = readdirSync(directory)
    .filter((one) => one.endsWith('.jsonl'))
    .sort()[0];
  expect(name !== undefined, 'there is no log');
  const file = join(directory, name ?? '');
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf('"owner":"demo-team"') + '"owner":"'.length;
  expect(at > '"owner":"'.length, 'the log names no owner');
  writeFileSync(file, `${text.slice(0, at)}D${text.slice(at + 1)}`);
  return `${name}, character ${at}`;
}

/** As docs/reference/alerts.md tells receivers to do it; nothing of the gate's own code. */
function isSigned({ headers, body }: ReceivedWebhook, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const wanted = createHmac('sha256', key).update(content).digest();
  return headers['webhook-signature']
    .split(' ')
    .map((one) => Buffer.from(one.replace(/^v1,/, ''), 'base64'))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
}

function tellProblem(answer: DemoAnswer, tell: Tell): void {
  const { code, detail, title, remedy } = JSON.parse(answer.text);
  tell(`     refused         ${answer.status} ${code}: ${title}${detail === undefined ? '' : ` ${detail}`}`);
  if (remedy !== undefined) tell(`     what to do      ${remedy}`);
}

function masked(key: string): string {
  return `${key.slice(0, 9)}…(${key.length} characters)`;
}

function expect(fact: boolean, otherwise: string): void {
  if (!fact) throw new DemoError(otherwise);
}
