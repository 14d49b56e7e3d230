export type { CallAnswer } from './call-once.ts';
export { callOnce } from './call-once.ts';
export { RelayFault } from './fault.ts';
export type { AgentIdentity, RelayOptions } from './options.ts';
export type { Relay } from './relay.ts';
export { openRelay } from './relay.ts';
export { runCommand } from './run-command.ts';
