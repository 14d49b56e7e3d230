export { serve } from './serve.ts';
export { listenForSignals } from './signals.ts';
export type { RunningService } from './start-service.ts';
export { startService } from './start-service.ts';
export { PROGRAM_ROOT, programVersion } from './version.ts';
