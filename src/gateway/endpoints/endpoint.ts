import type { ServerResponse } from 'node:http';
import type { JsonObject, PresentedPassport } from '../../core/index.ts';
import type { BodySource } from '../ingress/body-source.ts';
import type { Line, Story } from '../line.ts';

export interface EndpointRequest {
  readonly line: Line;
  readonly story: Story;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Reads the passport that was shown, if any. */
  presented(): PresentedPassport | null;
  readonly body: BodySource;
  readonly response: ServerResponse;
}

export interface EndpointAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** One of the gate's own URLs. */
export interface Endpoint {
  readonly methods: readonly string[];
  /** True: anyone may ask, under any name of the gate (probes, discovery). */
  readonly open?: boolean;
  answer(request: EndpointRequest): Promise<EndpointAnswer>;
}
