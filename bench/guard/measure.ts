import type { EngineTimes } from './orders.ts';

/** Begins to measure one order, in the process that carries it out. */
export function startMeasure(): {
  elapsedMs(): number;
  times(each: readonly number[]): EngineTimes;
} {
  const began = performance.now();
  const processor = process.cpuUsage();
  const elapsedMs = () => performance.now() - began;
  return {
    elapsedMs,
    times(each) {
      const { user, system } = process.cpuUsage(processor);
      return {
        each,
        totalMs: elapsedMs(),
        processorMs: (user + system) / 1000,
        peakMiB: process.resourceUsage().maxRSS / 1024,
      };
    },
  };
}
