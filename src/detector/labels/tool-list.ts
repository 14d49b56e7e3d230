import { hintsOf, type ToldTool } from './hints.ts';

const MARK = Buffer.from('"tools"');
const AFTER_MARK = /^\s*:\s*\[/;
/** White space that may stand between the mark and its bracket. */
const MARK_BYTES = MARK.length + 64;
/** A list that is longer is read no further, and a description that is longer is passed over. */
const MAX_LIST_BYTES = 4 * 1024 * 1024;
const MAX_TOOL_BYTES = 64 * 1024;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Reads the tools of a `tools/list` answer as it streams by: JSON or an event stream, in whatever chunks, also when its end
 * never comes. It looks for `"tools": [` and takes the objects in it one by one; what is in a string is none.
 */
export class ToolListReader {
  /** What may be the beginning of the mark; while a list is read, the object that is under way. */
  #kept: Buffer = Buffer.alloc(0);
  #listing = false;
  #listBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The tools that this chunk completes. */
  push(chunk: Uint8Array): readonly ToldTool[] {
    const tools: ToldTool[] = [];
    let rest: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && this.#listBytes < MAX_LIST_BYTES) {
      rest = this.#listing ? this.#list(rest, tools) : this.#seek(rest);
    }
    return tools;
  }

  /** What follows the opening bracket of a list; empty: there is none yet. */
  #seek(chunk: Buffer): Buffer {
    const text = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
      const after = text.subarray(at + MARK.length, at + MARK_BYTES).toString('latin1');
      const bracket = AFTER_MARK.exec(after);
      if (bracket !== null) {
        this.#kept = Buffer.alloc(0);
        this.#listing = true;
        return text.subarray(at + MARK.length + bracket[0].length);
      }
    }
    // A copy: a view would keep the whole chunk.
    this.#kept = Buffer.from(text.subarray(-MARK_BYTES));
    return text.subarray(text.length);
  }

  /** What follows the list; empty: it goes on. */
  #list(chunk: Buffer, tools: ToldTool[]): Buffer {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN || byte === OPEN_LIST) {
        if (this.#depth === 0) from = at;
        this.#depth += 1;
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        if (this.#depth === 0) return this.#endList(chunk.subarray(at + 1));
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        tools.push(...toolIn(Buffer.concat([this.#kept, chunk.subarray(from, at + 1)])));
        this.#kept = Buffer.alloc(0);
      }
    }
    this.#listBytes += chunk.length;
    // Of a description that is too long nothing is kept: what is left of it is no JSON, and is passed over.
    if (this.#depth > 0 && this.#kept.length < MAX_TOOL_BYTES)
      this.#kept = Buffer.concat([this.#kept, chunk.subarray(from, from + MAX_TOOL_BYTES)]);
    return chunk.subarray(chunk.length);
  }

  #endList(rest: Buffer): Buffer {
    this.#listing = false;
    this.#inString = false;
    return rest;
  }
}

function toolIn(bytes: Buffer): readonly ToldTool[] {
  if (bytes.length > MAX_TOOL_BYTES) return [];
  try {
    const { name, annotations }: { name?: unknown; annotations?: unknown } = JSON.parse(
      bytes.toString('utf8'),
    );
    return typeof name === 'string' ? [{ name, hints: hintsOf(annotations) }] : [];
  } catch {
    // Not what a server of MCP writes.
    return [];
  }
}
