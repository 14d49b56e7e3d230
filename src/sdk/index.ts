export type { Access } from './access.ts';
export { AccessFault, type AccessFaultCode } from './access-fault.ts';
export { Agent, type AgentOptions, type Delegation, type WantedGrant } from './agent.ts';
export {
  type ExpressMiddleware,
  type ExpressRequest,
  type ExpressResponse,
  requirePassport,
} from './express.ts';
export { SdkFault, type SdkFaultCode } from './fault.ts';
export type { ToolCallReport, ToolDecision } from './gate-client.ts';
export { KeyRatchet, type RatchetKeys } from './key-ratchet.ts';
export { type IncomingRequest, ResourceServer, type ResourceServerOptions } from './resource-server.ts';
export type { PrivateJwk } from './signing-key.ts';
export type { IssuedPassport } from './token-client.ts';
