export { ADMIN_TOKEN_FILE, isAdminToken } from './admin-token.ts';
export type { Call, CallBody, Door, HeaderList, HttpCall, PresentedPassport, ToolCall } from './call.ts';
export type { Clock } from './clock.ts';
export { systemClock, toSeconds } from './clock.ts';
export type { Decision, Effect } from './decision.ts';
export { stricter } from './decision.ts';
export { endOfTurn } from './end-of-turn.ts';
export type {
  ActorSummary,
  AdminChange,
  ApprovalChange,
  AuditEvent,
  AuditEventMap,
  AuditEventOf,
  AuditEventType,
  CallSummary,
  RevocationKind,
} from './event.ts';
export type { Finding, Severity } from './finding.ts';
export { newId } from './id.ts';
export type { JsonObject, JsonValue } from './json.ts';
export { LIMITS } from './limits.ts';
export { nearest } from './nearest.ts';
export type { NeedleHit, NeedleMatcher, Needles } from './needles/index.ts';
export { compileNeedles } from './needles/index.ts';
export type { RateLimit } from './rate-limiter.ts';
export { networkOf, RateLimiter } from './rate-limiter.ts';
export type { ReceiptView } from './receipt.ts';
export type { RefusalCode } from './refusal.ts';
export { describeRefusal, REFUSAL_CODES, Refusal } from './refusal.ts';
export { SecretBytes } from './secret-bytes.ts';
export type { InjectorSpec, Origin, Service, ServiceDirectory } from './service.ts';
export { formatOrigin } from './service.ts';
export type { Subject } from './subject.ts';
export type { UnitOfWork } from './unit-of-work.ts';
export { parseUrl } from './url.ts';
export type { Containment, SessionRisk, Verdict } from './verdict.ts';
export { NO_RISK } from './verdict.ts';
