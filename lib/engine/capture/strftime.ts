// SPDX-License-Identifier: Apache-2.0
// strftime(3) in the local time zone, for file names that carry a time.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

function pad(n: number, width = 2, fill = "0"): string {
  return String(n).padStart(width, fill);
}

function yearDay(t: Date): number {
  return Math.round(
    (Date.UTC(t.getFullYear(), t.getMonth(), t.getDate()) - Date.UTC(t.getFullYear(), 0, 1)) / 86_400_000,
  );
}

/** Offset from UTC as +hhmm. */
function offset(t: Date): string {
  const minutes = -t.getTimezoneOffset();
  const all = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(all / 60))}${pad(all % 60)}`;
}

function zone(t: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(t);
  return parts.find((p) => p.type === "timeZoneName")?.value ?? "UTC";
}

const CONVERSIONS: Readonly<Record<string, (t: Date) => string>> = {
  "%": () => "%",
  A: (t) => DAYS[t.getDay()] as string,
  B: (t) => MONTHS[t.getMonth()] as string,
  C: (t) => pad(Math.floor(t.getFullYear() / 100)),
  D: (t) => strftime("%m/%d/%y", t),
  F: (t) => strftime("%Y-%m-%d", t),
  H: (t) => pad(t.getHours()),
  I: (t) => pad(t.getHours() % 12 === 0 ? 12 : t.getHours() % 12),
  M: (t) => pad(t.getMinutes()),
  R: (t) => strftime("%H:%M", t),
  S: (t) => pad(t.getSeconds()),
  T: (t) => strftime("%H:%M:%S", t),
  Y: (t) => String(t.getFullYear()),
  Z: zone,
  a: (t) => (DAYS[t.getDay()] as string).slice(0, 3),
  b: (t) => (MONTHS[t.getMonth()] as string).slice(0, 3),
  d: (t) => pad(t.getDate()),
  e: (t) => pad(t.getDate(), 2, " "),
  j: (t) => pad(yearDay(t) + 1, 3),
  m: (t) => pad(t.getMonth() + 1),
  n: () => "\n",
  p: (t) => (t.getHours() < 12 ? "AM" : "PM"),
  s: (t) => String(Math.floor(t.getTime() / 1000)),
  t: () => "\t",
  u: (t) => String(t.getDay() === 0 ? 7 : t.getDay()),
  w: (t) => String(t.getDay()),
  y: (t) => pad(t.getFullYear() % 100),
  z: offset,
};

/** `format` with its %-conversions replaced by parts of `time`; an unknown conversion stays as it is. */
export function strftime(format: string, time: Date): string {
  return format.replace(/%(.)/gs, (whole, letter: string) => CONVERSIONS[letter]?.(time) ?? whole);
}
