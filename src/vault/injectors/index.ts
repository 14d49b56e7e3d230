import type { InjectorSpec } from '../../core/index.ts';
import { basic } from './basic.ts';
import { bearer } from './bearer.ts';
import { header } from './header.ts';
import type { Injector, OutboundDraft } from './injector.ts';
import { query } from './query.ts';

/** One line a kind. */
const INJECTORS = { bearer, basic, header, query } as const satisfies {
  readonly [K in InjectorSpec['kind']]: Injector<Extract<InjectorSpec, { kind: K }>>;
};

/** The injector of a specification, with the specification filled in. */
export function injectorOf(spec: InjectorSpec): BoundInjector {
  switch (spec.kind) {
    case 'bearer':
      return bind(INJECTORS.bearer, spec);
    case 'basic':
      return bind(INJECTORS.basic, spec);
    case 'header':
      return bind(INJECTORS.header, spec);
    case 'query':
      return bind(INJECTORS.query, spec);
  }
}

export interface BoundInjector {
  faultOf(): string | null;
  faultOfSecret(secret: Uint8Array): string | null;
  inject: (secret: Uint8Array, draft: OutboundDraft) => OutboundDraft;
  derived: (secret: Uint8Array) => readonly Uint8Array[];
}

function bind<Spec extends InjectorSpec>(injector: Injector<Spec>, spec: Spec): BoundInjector {
  return {
    faultOf: () => injector.faultOf(spec),
    faultOfSecret: (secret) => injector.faultOfSecret(secret),
    inject: (secret, draft) => injector.inject(spec, secret, draft),
    derived: (secret) => injector.derived(spec, secret),
  };
}

export type { OutboundDraft } from './injector.ts';
