// SPDX-License-Identifier: Apache-2.0
// Token bucket: so many per second, so many at once.

export class TokenBucket {
  private tokens: number;
  private last = -1n;

  /** `rate` tokens per second come in, at most `burst` are kept; it starts full. */
  constructor(
    private readonly rate: number,
    private readonly burst: number,
  ) {
    this.tokens = burst;
  }

  /** Takes one token at time `now` (ns, any epoch); false when there is none. Time going back adds nothing. */
  claim(now: bigint): boolean {
    if (this.last >= 0n && now > this.last) {
      this.tokens = Math.min(this.burst, this.tokens + (Number(now - this.last) / 1e9) * this.rate);
    }
    if (now > this.last) this.last = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
