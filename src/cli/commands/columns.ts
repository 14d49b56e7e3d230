import { type Column, type Row, rowOf, textOf, timeOf } from '../output.ts';

/** How each kind of thing is shown; one line a column. */
export const AGENT: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['OWNER', 'owner'],
  ['STATUS', 'status'],
  ['SCOPES', 'scopes'],
];

export const USER: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['DISPLAY NAME', 'displayName'],
  ['STATUS', 'status'],
  ['PASSWORD', (row) => (row.hasPassword === true ? 'yes' : 'no')],
  ['PASSKEYS', 'passkeys'],
  ['CREATED', (row) => timeOf(row.createdAt)],
];

export const GRANT: readonly Column[] = [
  ['ID', 'id'],
  ['USER', 'userId'],
  ['AGENT', 'agentId'],
  ['SCOPES', 'scopes'],
  ['STATUS', 'status'],
  ['GIVEN', (row) => timeOf(row.createdAt)],
  ['UNTIL', (row) => timeOf(row.expiresAt)],
];

export const AGENT_ITEM: readonly Column[] = [
  ...AGENT,
  ['PURPOSE', 'purpose'],
  ['KEYS', (row) => textOf(idsOf(row.jwks, 'kid'))],
  ['SECRETS', (row) => textOf(idsOf(row.secrets, 'id'))],
  ['CREATED', (row) => timeOf(row.createdAt)],
  ['CHANGED', (row) => timeOf(row.updatedAt)],
];

export const SERVICE: readonly Column[] = [
  ['NAME', 'name'],
  ['ORIGINS', 'origins'],
  ['CREDENTIAL', 'credential'],
  ['PRIVATE', 'allowPrivate'],
  ['SLASH', 'encodedSlash'],
  ['BODY', (row) => (row.inspectBody === true ? 'inspected' : 'streamed')],
];

export const CREDENTIAL: readonly Column[] = [
  ['NAME', 'name'],
  ['VERSION', 'version'],
  ['STATUS', 'status'],
  ['KIND', (row) => textOf(rowOf(row.injector).kind)],
  ['DESTINATIONS', 'destinations'],
  ['CREATED', (row) => timeOf(row.createdAt)],
  ['BY', 'createdBy'],
];

export const PASSPORT: readonly Column[] = [
  ['JTI', 'jti'],
  ['AGENT', 'agentId'],
  ['OWNER', 'owner'],
  ['SESSION', 'sid'],
  ['SCOPE', 'scope'],
  ['EXPIRES', (row) => timeOf(row.expiresAt)],
];

export const PASSPORT_ITEM: readonly Column[] = [
  ...PASSPORT,
  ['USER', 'user'],
  ['CHAIN', 'chain'],
  ['AUDIENCE', 'audience'],
  ['KEY', 'jkt'],
  ['GRANT', 'grant'],
  ['ISSUED', (row) => timeOf(row.issuedAt)],
];

export const APPROVAL: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', (row) => statusOf(row)],
  ['AGENT', 'agentId'],
  ['CALL', (row) => callOf(row)],
  ['EXPIRES', (row) => timeOf(row.expiresAt)],
];

export const APPROVAL_ITEM: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['AGENT', 'agentId'],
  ['OWNER', 'owner'],
  ['USER', 'user'],
  ['SESSION', 'sid'],
  ['ASKED', (row) => timeOf(row.requestedAt)],
  ['EXPIRES', (row) => timeOf(row.expiresAt)],
  ['DECIDED', (row) => timeOf(row.decidedAt)],
  ['NEEDED', 'approversNeeded'],
  ['FIRST YES', (row) => textOf(rowOf(row.first).by)],
  ['BY', 'decidedBy'],
  ['REASON', 'reason'],
  ['DIGEST', 'callDigest'],
  ['CALL', (row) => JSON.stringify(row.shown)],
];

export const ALERT: readonly Column[] = [
  ['AT', (row) => timeOf(row.at)],
  ['SEVERITY', 'severity'],
  ['TITLE', 'title'],
  ['AGENT', 'agentId'],
  ['SESSION', 'sid'],
  ['EFFECT', 'effect'],
  ['ID', 'alertId'],
];

export const SINK: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['KIND', 'kind'],
  ['MINIMUM', 'minSeverity'],
  ['STATUS', 'status'],
  ['OPTIONS', 'options'],
];

export const DELIVERY: readonly Column[] = [
  ['ALERT', 'alertId'],
  ['SINK', 'sinkId'],
  ['STATUS', 'status'],
  ['ATTEMPTS', 'attempts'],
  ['NEXT', (row) => timeOf(row.nextAttemptAt)],
  ['ERROR', 'lastError'],
];

export const DECOY: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['KIND', 'kind'],
  ['VALUE', 'value'],
  ['SEVERITY', 'severity'],
  ['PLANTED', (row) => timeOf(row.plantedAt)],
];

export const TOKEN: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['ROLE', 'role'],
  ['CREATED', (row) => timeOf(row.createdAt)],
  ['EXPIRES', (row) => timeOf(row.expiresAt)],
];

export const INITIAL_TOKEN: readonly Column[] = [
  ['NAME', 'name'],
  ['ID', 'id'],
  ['OWNER', 'owner'],
  ['SCOPES', 'scopes'],
  ['USED', (row) => `${textOf(row.used)}/${textOf(row.maxUses)}`],
  ['EXPIRES', (row) => timeOf(row.expiresAt)],
];

/** One line of the log for people. */
export function auditLine(row: Row): string {
  const event = rowOf(row.event);
  return `${textOf(row.sequence)}  ${timeOf(event.at)}  ${textOf(event.type)}  ${JSON.stringify(event.data)}`;
}

function idsOf(list: unknown, member: string): unknown[] {
  return Array.isArray(list) ? list.map((one) => rowOf(one)[member]) : [];
}

/** The status of an approval, and how many of the people that it needs have said yes. */
function statusOf(row: Row): string {
  if (row.status !== 'pending' || row.approversNeeded !== 2) return textOf(row.status);
  return `pending (${row.first === null ? 0 : 1} of 2)`;
}

/** What the call is, in a few words, from what the approvals room shows. */
function callOf(row: Row): string {
  const shown = rowOf(row.shown);
  if (shown.kind === 'passport') return `passport ${textOf(shown.scope)} for ${textOf(shown.user)}`;
  const words = [shown.method, shown.url ?? shown.target ?? shown.tool].filter(
    (word) => typeof word === 'string',
  );
  return words.length > 0 ? words.join(' ') : JSON.stringify(row.shown);
}
