export type { Resolve } from './egress/destination.ts';
export type { GuardedAnswer, GuardedRequest } from './egress/guarded-send.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export { openGateway } from './gateway.ts';
export type { DetectorGate, PolicyGate } from './line.ts';
export { policyGate } from './policy-gate.ts';
export { parseService } from './services/definition.ts';
export { ServiceRegistry } from './services/registry.ts';
export type { ServiceStore } from './store.ts';
