import type { AppendFile, AuditFiles } from './files.ts';
import { formatPeaks } from './peaks.ts';
import { peaksFile, type Segment, segmentFile } from './segments.ts';

export interface SegmentWriterOptions {
  readonly directory: string;
  readonly files: AuditFiles;
  readonly durability: 'power' | 'process';
  readonly segmentBytes: number;
}

/** Writes groups of whole lines into the newest segment, and begins a new one when that is full. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #file: AppendFile | null;
  #bytes: number;
  #unsynced = false;
  #syncing: Promise<void> | null = null;

  private constructor(options: SegmentWriterOptions, file: AppendFile | null, bytes: number) {
    this.#options = options;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Goes on with `segment`, or begins with none. */
  static async open(
    options: SegmentWriterOptions,
    segment: (Segment & { readonly bytes: number }) | null,
  ): Promise<SegmentWriter> {
    const { directory, files } = options;
    await files.syncDirectory(directory);
    if (segment === null) return new SegmentWriter(options, null, 0);
    const file = await files.openAppend(segment.file);
    // What the last process wrote may be in the system's memory only.
    await file.sync();
    return new SegmentWriter(options, file, segment.bytes);
  }

  /**
   * Resolves when the lines are as durable as the log promises. `first`: sequence number of the first line;
   * `peaks`: the tree before it. After a rejection nothing may be written any more: the file can hold a part.
   */
  async write(lines: Uint8Array, first: number, peaks: readonly Buffer[]): Promise<void> {
    const full = this.#bytes > 0 && this.#bytes + lines.length > this.#options.segmentBytes;
    const file = this.#file === null || full ? await this.#begin(first, peaks) : this.#file;
    await file.write(lines);
    this.#bytes += lines.length;
    if (this.#options.durability === 'power') await file.sync();
    else this.#unsynced = true;
  }

  /** Makes what was written survive a power cut, whatever the promise. */
  async sync(): Promise<void> {
    while (this.#syncing !== null) await this.#syncing;
    if (!this.#unsynced || this.#file === null) return;
    this.#unsynced = false;
    this.#syncing = this.#file.sync().finally(() => {
      this.#syncing = null;
    });
    await this.#syncing;
  }

  async close(): Promise<void> {
    // A sync that is still queued must not meet a closed descriptor, or another file under its number.
    await this.#syncing?.catch(() => {});
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #begin(first: number, peaks: readonly Buffer[]): Promise<AppendFile> {
    const { directory, files } = this.#options;
    await this.sync();
    await this.close();
    if (first > 1) await files.writeWhole(peaksFile(directory, first), Buffer.from(formatPeaks(peaks)));
    const path = segmentFile(directory, first);
    const file = await files.openAppend(path);
    this.#file = file;
    this.#bytes = 0;
    // Without this a power cut could take the file's name away, and every record in it.
    await files.syncDirectory(directory);
    return file;
  }
}
