export { serve } from './serve.ts';
export type { RunningService } from './service.ts';
export { listenForSignals } from './signals.ts';
export { startService } from './start-service.ts';
export { PROGRAM_ROOT, programVersion } from './version.ts';
