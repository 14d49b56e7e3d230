import type { FuzzTarget } from '../target.ts';
import { framing } from './framing.ts';
import { host, path } from './path.ts';
import { decode, scrub } from './scrub.ts';
import { cli, config, json, proof } from './text.ts';

export const TARGETS: readonly FuzzTarget[] = [path, host, framing, scrub, decode, config, cli, json, proof];
