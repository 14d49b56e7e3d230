/**
 * What a tool or a place is, seen from a session: where others write what the agent reads, where what nobody else should
 * see is read, where what is written others can read, and what can't be undone.
 */
export type Label = 'untrusted-source' | 'private-data' | 'public-sink' | 'destructive';
