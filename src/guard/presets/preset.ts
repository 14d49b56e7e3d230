import type { GuardSegment } from '../guard.ts';

/** What the detector asks for. A preset answers some of it. */
export type Role = GuardSegment['role'];

/** Answers every label that the file itself names, over all segments at once (docs/reference/guard-model.md). */
interface LabelledPreset {
  readonly kind: 'labelled';
}

/** An encoder with one softmax: it reads the piece that is judged, and nothing around it. */
interface ClassifierPreset {
  readonly kind: 'classifier';
  /** Index of the output that stands for danger. */
  readonly danger: number;
  /** Divides the logits before the softmax. */
  readonly temperature: number;
  /** `removed`: the model was trained on text without any, so that spacing hides nothing. */
  readonly whitespace: 'kept' | 'removed';
  /** The detector's label that it answers, by the role of what is judged. */
  readonly answers: Readonly<Partial<Record<Role, string>>>;
}

/** A decoder that is asked one question; the first token of its answer is the score. */
interface QuestionPreset {
  readonly kind: 'question';
  /** Text of ours before what is judged: computed once, and kept. Special tokens count. */
  readonly head: string;
  /** How a segment is written: ours before it, and behind it. The text between is never ours. */
  readonly pieces: Readonly<Record<Role, { readonly before: string; readonly after: string }>>;
  /** `last`: the piece that is judged alone. `all`: the whole session as far as it is given. */
  readonly reads: 'last' | 'all';
  /** Text of ours behind it, up to where the answer begins. */
  readonly tail: string;
  /** Possible answers, told apart by the first token in which they differ, and how much danger each stands for. */
  readonly choices: readonly { readonly text: string; readonly danger: number }[];
  readonly answers: Readonly<Partial<Record<Role, string>>>;
}

/** All that has to be known of a public guard model, as data. */
export interface Preset {
  readonly name: string;
  readonly title: string;
  /** `general.architecture` of the file. */
  readonly architectures: readonly string[];
  readonly licence: string;
  /** Score from which its authors or their benchmarks speak of a hit; advice to whoever fuses. */
  readonly threshold: number;
  /** Longest window in tokens; longer text is cut into windows that overlap by a quarter, the worst one counts. */
  readonly windowTokens: number;
  /** Where the template and the rule come from. */
  readonly source: string;
  readonly scoring: LabelledPreset | ClassifierPreset | QuestionPreset;
}
