/** What could be a secret never stands in evidence: long unbroken runs keep their first four characters. */
export function maskLongRuns(text: string): string {
  return text.replace(/[A-Za-z0-9+/_=-]{16,}/g, (run) => `${run.slice(0, 4)}…(${run.length})`);
}
