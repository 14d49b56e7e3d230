export { logEvents } from './log-events.ts';
export { Meters } from './meters.ts';
export { openMonitor } from './monitor.ts';
export { Readiness } from './readiness.ts';
export { countedUse, tapped } from './tap.ts';
