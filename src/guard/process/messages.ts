import { z } from 'zod';
import { computeSchema } from '../compute.ts';
import { GUARD_FAULT_CODES } from '../engine/fault.ts';

const id = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const labelName = z.string().min(1).max(64);
const count = z.number().min(0).finite();

/** What a gate asks of a guard. `open` comes once, first, and from the parent of a child alone. */
export const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('open'),
    addon: z.string().min(1),
    model: z.string().min(1),
    sha256: z.string().nullable(),
    preset: z.string().nullable(),
    compute: computeSchema,
    /** Whoever wants to know what a file is takes one that no preset drives as well. */
    examine: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('score'),
    id,
    segments: z
      .array(z.strictObject({ role: z.enum(['instruction', 'call', 'result']), text: z.string() }))
      .min(1)
      .max(64),
    labels: z.array(labelName).min(1).max(64),
    deadlineMs: z.number().min(1).max(3_600_000),
  }),
  z.strictObject({ type: z.literal('cancel'), id }),
  z.strictObject({ type: z.literal('stats'), id }),
  /** Describes the model, and times it. */
  z.strictObject({ type: z.literal('examine'), id }),
]);

export type GuardRequest = z.infer<typeof requestSchema>;

const infoSchema = z.object({
  architecture: z.string().max(64),
  isa: z.string().max(64),
  tokenizer: z.string().max(64),
  vocabulary: count,
  context: count,
  width: count,
  layers: count,
  isEncoder: z.boolean(),
  weightBytes: count,
  threads: count,
  backend: z.string().max(64),
  labels: z.array(z.string().max(64)).max(64),
});

const readySchema = z.object({
  type: z.literal('ready'),
  model: z.string().max(255),
  architecture: z.string().max(64),
  backend: z.string().max(64),
  preset: z.string().max(64),
  labels: z.array(labelName).max(64),
  /** Empty: the process can open no file, make no socket and start no program. Else why that could not be had. */
  unconfined: z.string().max(512),
  /** Why no preset drives the model; empty where one does. */
  note: z.string().max(1024).default(''),
});

export type Ready = z.infer<typeof readySchema>;

/** What a guard answers. Whoever reads it believes nothing that this does not allow. */
export const answerSchema = z.discriminatedUnion('type', [
  readySchema,
  /** It can't serve at all. */
  z.object({ type: z.literal('refused'), code: z.enum(GUARD_FAULT_CODES), sentence: z.string().max(1024) }),
  z.object({
    type: z.literal('scores'),
    id,
    scores: z.record(labelName, z.number().min(0).max(1)),
    tokens: count,
    windows: count,
    queueMs: count,
    computeMs: count,
  }),
  z.object({
    type: z.literal('fault'),
    id,
    code: z.enum(GUARD_FAULT_CODES),
    sentence: z.string().max(1024),
  }),
  z.object({ type: z.literal('stats'), id, stats: z.record(z.string().max(64), count) }),
  z.object({
    type: z.literal('examined'),
    id,
    info: infoSchema,
    timings: z.array(z.object({ tokens: count, ms: count })).max(16),
    peakBytes: count,
  }),
]);

export type GuardAnswer = z.infer<typeof answerSchema>;
