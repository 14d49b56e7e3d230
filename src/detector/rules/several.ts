import type { RuleEvent } from './event.ts';
import type { Count, Rule, Sequence, Stateless } from './rule.ts';
import { CountTrack, type RuleState, type Seen, SequenceTrack, type Track } from './state.ts';

/** A condition over several events of one session. */
export interface Several {
  /** Takes the event in; the events that fulfil the condition with this one, or null. */
  readonly advance: (event: RuleEvent, state: RuleState, seen: Seen) => readonly Seen[] | null;
}

type Compile = (condition: Stateless) => (event: RuleEvent) => boolean;

/** `key` names the condition in the state of a session. */
export function severalOf(
  condition: { readonly sequence: Sequence } | { readonly count: Count },
  key: string,
  rule: Rule,
  compile: Compile,
): Several {
  return 'sequence' in condition
    ? sequenceOf(condition.sequence, key, compile)
    : countOf(condition.count, key, rule, compile);
}

function sequenceOf(sequence: Sequence, key: string, compile: Compile): Several {
  const steps = sequence.steps.map(({ on, match }) => ({ on, test: compile(match) }));
  return {
    advance: (event, state, seen) => {
      const begun = state.peek(key);
      const taken = steps.map(
        ({ on, test }, index) => (begun || index === 0) && on === event.on && test(event),
      );
      if (!taken.includes(true)) return null;
      return state.track(key, () => new SequenceTrack(), isSequence).advance(sequence, taken, seen);
    },
  };
}

function countOf(count: Count, key: string, rule: Rule, compile: Compile): Several {
  const test = compile(count.match);
  const { distinct } = count;
  return {
    advance: (event, state, seen) => {
      if (!rule.on.includes(event.on) || !test(event)) return null;
      const value = distinct === null ? null : (event.texts(distinct)[0] ?? '').slice(0, 256);
      const track = state.track(key, () => new CountTrack(), isCount);
      return track.add(count, value, seen.at) ? [seen] : null;
    },
  };
}

function isSequence(track: Track): track is SequenceTrack {
  return track instanceof SequenceTrack;
}

function isCount(track: Track): track is CountTrack {
  return track instanceof CountTrack;
}
