export type { Needles } from '../../core/index.ts';
export { compileNeedles } from '../../core/index.ts';
export { acceptableCodings, contentCodings } from './codings.ts';
export { decodeBody, decodeStream } from './decode.ts';
export { requestHeadersForScrub, responseHeadersAfterScrub } from './head.ts';
export { MASK } from './mask.ts';
export { scrubResponse } from './scrub-response.ts';
export { scrubHeaders, scrubText } from './scrub-text.ts';
export { StreamScrubber } from './stream-scrubber.ts';
