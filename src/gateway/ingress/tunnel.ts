import type { VerifiedPassport } from '../../passport/index.ts';

/** The tunnel that a request came through: whose it is, and the one place that it leads to. */
export interface Tunnel {
  readonly passport: VerifiedPassport;
  /** The passport as it was shown: no field of a request inside may carry it on. */
  readonly token: string | null;
  readonly host: string;
  readonly port: number;
  readonly scheme: 'https' | 'http';
}
