export { StorageFault } from './fault.ts';
export { inspectStorage } from './inspect.ts';
export type { Storage, StorageOptions } from './open.ts';
export { openStorage } from './open.ts';
export { snapshotFile } from './snapshot.ts';
