import type { VerifiedPassport } from '../../passport/index.ts';

/** The tunnel that a request came through: whose it is, and the one place that it leads to. */
export interface Tunnel {
  readonly passport: VerifiedPassport;
  readonly host: string;
  readonly port: number;
  readonly scheme: 'https' | 'http';
}
