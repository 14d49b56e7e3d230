export { StorageFault } from './fault.ts';
export type { Inspection } from './inspect.ts';
export { inspectStorage } from './inspect.ts';
export type { Storage, StorageOptions } from './open.ts';
export { openStorage } from './open.ts';
