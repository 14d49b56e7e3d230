/** The environment as the CLI reads it, once, in main.ts; the relay takes our own variables out before a child gets it. */
export type Environment = Readonly<Record<string, string | undefined>>;
