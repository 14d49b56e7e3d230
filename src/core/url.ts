/** The URL that a text is, or null. As `URL.parse`, which not every runtime has that the SDK is for. */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
