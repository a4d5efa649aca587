// SPDX-License-Identifier: Apache-2.0
// Follows the frames of a zstd stream, because the decompressor does not say when the stream ends in the middle of one.

const FRAME_MAGIC = 0xfd2fb528;
/** Magic numbers of frames to be skipped are 0x184d2a50 to 0x184d2a5f. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const CONTENT_BYTES = [0, 2, 4, 8] as const;

/** Reads only the sizes in frame and block headers (RFC 8878); the contents may come in pieces of any size. */
export class ZstdFrames {
  /** Bytes of the current header. */
  private readonly header = Buffer.alloc(8);
  private have = 0;
  private want = 4;
  private skip = 0;
  private expects: "magic" | "skippable" | "descriptor" | "block" = "magic";
  private checksum = false;

  /** True between frames. */
  get whole(): boolean {
    return this.expects === "magic" && this.have === 0 && this.skip === 0;
  }

  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.skip > 0) {
        const n = Math.min(this.skip, bytes.length - at);
        this.skip -= n;
        at += n;
        continue;
      }
      this.header[this.have++] = bytes[at++]!;
      if (this.have === this.want) this.take();
    }
  }

  private next(expects: ZstdFrames["expects"], want: number): void {
    this.expects = expects;
    this.want = want;
    this.have = 0;
  }

  private take(): void {
    const header = this.header;
    switch (this.expects) {
      case "magic": {
        const magic = header.readUInt32LE(0);
        if (magic === FRAME_MAGIC) this.next("descriptor", 1);
        else if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) this.next("skippable", 4);
        // Anything else is for the decompressor to complain about.
        else this.next("magic", 4);
        break;
      }
      case "skippable":
        this.skip = header.readUInt32LE(0);
        this.next("magic", 4);
        break;
      case "descriptor": {
        const descriptor = header[0]!;
        const single = (descriptor & 0x20) !== 0;
        const content = descriptor >> 6;
        this.checksum = (descriptor & 4) !== 0;
        this.skip = (single ? 0 : 1) + DICTIONARY_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
        this.skip += single && content === 0 ? 1 : CONTENT_BYTES[content as 0 | 1 | 2 | 3];
        this.next("block", 3);
        break;
      }
      default: {
        const block = header.readUIntLE(0, 3);
        const last = (block & 1) !== 0;
        // A run-length block has one byte, whatever the size it stands for.
        this.skip = ((block >> 1) & 3) === 1 ? 1 : block >> 3;
        if (last && this.checksum) this.skip += 4;
        this.next(last ? "magic" : "block", last ? 4 : 3);
      }
    }
  }
}
