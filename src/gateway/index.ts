export type { Dial } from './egress/connector.ts';
export type { Resolve } from './egress/destination.ts';
export { GATEWAY_OPERATIONS, type GatewayOperation } from './endpoints/description.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export { openGateway } from './gateway.ts';
export { policyGate } from './policy-gate.ts';
export { parseService } from './services/definition.ts';
export { ServiceRegistry } from './services/registry.ts';
export type { ServiceStore } from './store.ts';
