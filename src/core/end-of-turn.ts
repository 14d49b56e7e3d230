let waiting: (() => void)[] = [];

/**
 * Resolves when the event loop has handed over all that is ready in this turn.
 *
 * Node brings one connection after the other, and each call would run through its steps alone. Those that go on
 * together find each step's code in the processor's caches, and their records are one write (docs/adr/0016). It costs
 * a lone call next to nothing: the turn ends before the loop would sleep.
 */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(release);
  });
}

function release(): void {
  const released = waiting;
  waiting = [];
  for (const resolve of released) resolve();
}
