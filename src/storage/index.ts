export { StorageFault } from './fault.ts';
export type { Storage, StorageOptions } from './open.ts';
export { openStorage } from './open.ts';
