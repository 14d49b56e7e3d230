import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Call, type JsonValue, NO_RISK, type SessionRisk } from '../core/index.ts';
import type { PolicyActor } from './request.ts';

const words = z.string().min(1).max(256);

/** A call as cases and `policy explain` write it. */
export const sampleSchema = z.strictObject({
  agent: z.strictObject({
    name: words,
    owner: words.default('nobody'),
    scopes: z.array(words).max(256).default([]),
    user: words.nullable().default(null),
    purpose: words.nullable().default(null),
  }),
  call: z.union([
    z.strictObject({
      service: words,
      method: z
        .string()
        .regex(/^[A-Z]{1,20}$/, 'must be a method in upper case')
        .default('GET'),
      path: z.string().startsWith('/').max(4096),
      query: z.string().max(4096).default(''),
      host: words.default('service.example'),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.json().optional(),
    }),
    z.strictObject({ tool: words, arguments: z.json().default({}) }),
  ]),
  /** 0 to 100. */
  risk: z.number().min(0).max(100).default(0),
  time: z.iso.datetime().optional(),
});

export type Sample = z.infer<typeof sampleSchema>;

export interface SampleRequest {
  readonly actor: PolicyActor;
  readonly call: Call;
  readonly risk: SessionRisk;
  readonly now: number;
}

/** The sample as policies see a real call. `now`: when the sample names no time. */
export function toSampleRequest(sample: Sample, now: number): SampleRequest {
  const { agent } = sample;
  const at = sample.time === undefined ? now : Date.parse(sample.time);
  return {
    actor: {
      agentName: agent.name,
      owner: agent.owner,
      user: agent.user,
      purpose: agent.purpose,
      scopes: new Set(agent.scopes),
    },
    call: toCall(sample.call, at),
    risk: { ...NO_RISK, score: sample.risk / 100 },
    now: at,
  };
}

const TENANT = 'default';

function toCall(call: Sample['call'], at: number): Call {
  if ('tool' in call) {
    return {
      kind: 'tool',
      id: 'call_sample',
      tenant: TENANT,
      door: 'decide',
      receivedAt: at,
      tool: call.tool,
      args: call.arguments as JsonValue,
      hostSessionId: 'sample',
      hostCallId: 'sample',
    };
  }
  const origin = { scheme: 'https', host: call.host, port: 443 } as const;
  const bytes = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  const headers = Object.entries(call.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    kind: 'http',
    id: 'call_sample',
    tenant: TENANT,
    door: 'reverse',
    receivedAt: at,
    service: {
      tenant: TENANT,
      name: call.service,
      origins: [origin],
      credential: null,
      encodedSlash: 'refuse',
      allowPrivate: false,
      upstreamCa: null,
      inspectBody: false,
    },
    origin,
    method: call.method,
    path: call.path,
    query: call.query,
    headers: bytes === null ? headers : [...headers, ['content-type', 'application/json']],
    body:
      bytes === null
        ? { kind: 'none' }
        : { kind: 'buffered', bytes, digest: createHash('sha256').update(bytes).digest('base64url') },
  };
}
