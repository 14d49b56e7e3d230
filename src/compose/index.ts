export type { ServeOptions } from './serve.ts';
export { serve } from './serve.ts';
export type { RunningService, StartOptions } from './start-service.ts';
export { startService } from './start-service.ts';
export { PROGRAM_ROOT } from './version.ts';
