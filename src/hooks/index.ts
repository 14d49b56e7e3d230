export { HOSTS, type HostName, handleHook, isHostName, type Judge } from './handle.ts';
export type { HookAnswer, HookMessage, HookVerdict } from './message.ts';
export { findOurs, HOOK_FILES, withHooks, withoutHooks } from './settings.ts';
