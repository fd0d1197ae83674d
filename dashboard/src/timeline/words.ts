import { duration, short, whole } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import { reasons } from '../lib/words.ts';
import type { TimelineModel } from './model.ts';

/** Why there are no bars. */
export function emptyText(run: Run): string {
  return run.updates.loaded
    ? run.header.peek()?.source === 'folder' ? 'This folder has no updates.csv: the run was written with --no-updates, or nothing was given out.' : 'No assignment has ended yet; bars appear as clients finish their first work.'
    : 'Reading the assignments …';
}

/** What became of one assignment. */
export function sentence(run: Run, model: TimelineModel, row: number): string {
  const i = model.at(row);
  if (i < 0) return '';
  const u = model.rows;
  const reason = u.reason.of(i);
  const why = reasons[reason] ?? reason;
  const who = `${run.clientName(u.client[i]!)}, from version ${u.base[i]}`;
  if (u.end[i] === 2) return `${who}: lost after ${duration(u.ended[i]! - u.dispatched[i]!)} (${why}).`;
  const parts = `${whole(u.steps[i])} steps; download ${duration(u.download[i])}, train ${duration(u.train[i])}, upload ${duration(u.upload[i])}`;
  const fate = u.end[i] === 1
    ? `not used: it ${why}`
    : reason ? why : `part of version ${u.version[i]}, staleness ${u.staleness[i]}, weight ${short(u.weight[i])}${u.aggregate[i]! > 0 ? `, waited ${duration(u.aggregate[i])} to be merged` : ''}`;
  return `${who}: ${parts}; ${fate}.`;
}

/** What the window shows, for those who do not see it. */
export function describe(run: Run, model: TimelineModel, lanes: number, from: number, to: number): string {
  const { end, dispatched, ended } = model.rows;
  const counts = [0, 0, 0];
  for (let i = 0; i < end.length; i++) if (ended[i]! >= from && dispatched[i]! <= to) counts[end[i]!]!++;
  return `Timeline of ${lanes} clients from ${duration(from)} to ${duration(to)}: ${counts[0]} updates accepted, ${counts[1]} rejected, ${counts[2]} lost, ${run.standing.peek()?.version ?? 0} versions so far.`;
}

/** The assignments of the window. */
export function table(run: Run, model: TimelineModel, from: number, to: number, only?: readonly number[]) {
  const u = model.rows;
  const rows: (string | number | null)[][] = [];
  for (let i = 0; i < u.end.length; i++) {
    if (u.ended[i]! < from || u.dispatched[i]! > to || (only && !only.includes(u.client[i]!))) continue;
    rows.push([run.clientName(u.client[i]!), u.base[i]!, u.staleness[i]!, u.steps[i]!, u.dispatched[i]!, digits(u.download[i]!), digits(u.train[i]!), digits(u.upload[i]!), digits(u.aggregate[i]!), digits(u.weight[i]!), ['accepted', 'rejected', 'lost'][u.end[i]!]!, u.reason.of(i)]);
  }
  return { head: ['client', 'base version', 'staleness', 'steps', 'dispatched s', 'download s', 'train s', 'upload s', 'wait s', 'weight', 'outcome', 'reason'], rows };
}

/** Kept with seven digits, and told with no more. */
function digits(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : null;
}
