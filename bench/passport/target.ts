import type { TestAgent } from '../../test/unit/passport/support.ts';

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const AUDIENCE = 'https://gate.example';

/** An issuer that is measured. */
export interface ExchangeTarget {
  readonly name: string;
  readonly issuer: string;
  /** A token of one agent that names the other one in `may_act`. */
  subjectToken(from: TestAgent, to: TestAgent): Promise<string>;
  close(): Promise<void>;
}
