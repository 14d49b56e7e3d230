/** Files below a folder, by the ends of their names, in one order on every machine. */
export function filesUnder(folder: string, endings: readonly string[]): string[];
/** SHA-256 over names and bytes of everything that the addon depends on in `native/`. */
export function sourcesDigest(native: string): string;
