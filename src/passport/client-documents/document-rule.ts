/** Which addresses an administrator lets come aboard, and as what. */
export interface DocumentRule {
  /** Documents whose address begins with it; it ends with a slash. */
  readonly prefix: string;
  /** Who answers for those agents. */
  readonly owner: string;
  readonly scopes: readonly string[];
  /** Whether they may be on a private network. */
  readonly allowPrivate: boolean;
}

/** Reads what a stranger's address leads to, safely; compose supplies it. */
export type FetchDocument = (request: {
  readonly url: string;
  readonly mostBytes: number;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}) => Promise<{
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: string;
}>;
