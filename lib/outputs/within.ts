// SPDX-License-Identifier: Apache-2.0
// Waiting for something, but not for ever.

/** True when `promise` settles before `ms` have passed; a rejection in time is passed on. Leaves no timer behind. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = promise.then(() => true);
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
