import type { Call, HttpCall, SessionRisk, ToolCall } from '../core/index.ts';
import type { VerifiedPassport } from '../passport/index.ts';
import { bodyFacts } from './body-fields.ts';
import type { ContextValue, EngineRequest } from './engine.ts';
import { flattenFields } from './flatten.ts';

/** Who asks, as policies see it; tests and `explain` make one without a passport. */
export interface PolicyActor {
  readonly agentName: string;
  readonly owner: string;
  readonly user: string | null;
  readonly purpose: string | null;
  readonly scopes: ReadonlySet<string>;
}

/** Scopes `tools:<access>` are for the tools of host hooks and SDKs. */
export const TOOLS = 'tools';

export function actorOf(passport: VerifiedPassport): PolicyActor {
  return {
    agentName: passport.agentName,
    owner: passport.subject.owner,
    user: passport.subject.user,
    purpose: passport.purpose,
    scopes: passport.scopes,
  };
}

/** The call in Cedar's words. `withBody`: whether a policy of the slice looks at it. */
export function toEngineRequest(
  actor: PolicyActor,
  call: Call,
  o: { readonly risk: SessionRisk; readonly now: number; readonly withBody: boolean },
): EngineRequest {
  return {
    principal: { type: 'Agent', id: actor.agentName },
    owner: actor.owner,
    action: actionOf(call),
    resource: resourceOf(call),
    context: {
      ...(call.kind === 'http' ? httpContext(call, o.withBody) : toolContext(call)),
      ...commonContext(actor, resourceScope(call), o.risk, o.now),
    },
  };
}

export function actionOf(call: Call): EngineRequest['action'] {
  return call.kind === 'http' ? 'http.call' : 'tool.call';
}

export function resourceOf(call: Call): EngineRequest['resource'] {
  return call.kind === 'http' ? { type: 'Service', id: call.service.name } : { type: 'Tool', id: call.tool };
}

/** The part of a scope in front of the colon that grants this call. */
export function resourceScope(call: Call): string {
  return call.kind === 'http' ? call.service.name : TOOLS;
}

function httpContext(call: HttpCall, withBody: boolean): Record<string, ContextValue> {
  const body = withBody ? bodyFacts(call.body, call.headers) : { inspected: false, bytes: 0, fields: [] };
  return {
    door: call.door,
    method: call.method,
    scheme: call.origin.scheme,
    host: call.origin.host,
    port: call.origin.port,
    path: call.path,
    query: queryNames(call.query),
    body: { ...body },
  };
}

function toolContext(call: ToolCall): Record<string, ContextValue> {
  const { fields, complete } = flattenFields(call.args);
  return { door: call.door, arguments: fields, argumentsComplete: complete };
}

function commonContext(
  actor: PolicyActor,
  scope: string,
  risk: SessionRisk,
  now: number,
): Record<string, ContextValue> {
  const prefix = `${scope}:`;
  const scopes = [...actor.scopes];
  return {
    access: scopes.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length)),
    scopes,
    ...momentContext(actor, risk, now),
  };
}

/** For whom, what for, how risky and when: the same for calls and for delegations. */
export function momentContext(
  { user, purpose }: Pick<PolicyActor, 'user' | 'purpose'>,
  risk: SessionRisk,
  now: number,
): Record<string, ContextValue> {
  const date = new Date(now);
  return {
    risk: Math.round(Math.min(1, Math.max(0, risk.score)) * 100),
    ...(user === null ? {} : { user }),
    ...(purpose === null ? {} : { purpose }),
    hour: date.getUTCHours(),
    weekday: date.getUTCDay(),
    time: Math.floor(now / 1000),
  };
}

function queryNames(query: string): readonly string[] {
  return query === '' ? [] : [...new Set(new URLSearchParams(query).keys())];
}
