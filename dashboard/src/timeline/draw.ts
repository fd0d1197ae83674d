import { ticks } from '../charts/axis.ts';
import type { Surface } from '../charts/surface.ts';
import { duration } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import type { Ink } from '../lib/theme.ts';
import type { Group } from '../lib/types.ts';
import type { TimelineModel } from './model.ts';

export interface View {
  /** Seconds on the run's clock at the left and right edge. */
  readonly from: number;
  readonly to: number;
  /** Pixels of lanes above the top edge. */
  readonly scroll: number;
  readonly laneHeight: number;
  /** Clients from top to bottom. */
  readonly order: readonly number[];
  readonly labelWidth: number;
  /** Row under the pointer, or −1. */
  readonly hovered: number;
  readonly selectedLane: number;
}

export const axisHeight = 24;
const groupRow = 16;
const mostGroupRows = 3;
const bufferHeight = 46;

/** What stands above the lanes. */
export function headHeight(hasGroups: boolean, hasBuffer: boolean): number {
  return axisHeight + (hasGroups ? mostGroupRows * groupRow + 6 : 0) + (hasBuffer ? bufferHeight : 0);
}

export function drawTimeline(surface: Surface, run: Run, model: TimelineModel, groups: ReadonlyMap<number, Group>, view: View, colours: Ink): void {
  const { width, height } = surface;
  const left = view.labelWidth;
  const now = run.standing.peek()?.time ?? model.end;
  const x = (time: number) => left + ((time - view.from) / (view.to - view.from)) * (width - left);
  const header = run.header.peek();
  const hasGroups = groups.size > 0;
  const hasBuffer = header?.scheduler !== 'compass' && (header?.aggregationGoal ?? 0) > 1;
  const head = headHeight(hasGroups, hasBuffer);

  surface.rect(0, 0, width, height, colours.card);
  drawLanes(surface, run, model, groups, view, colours, x, head, now);

  // The head covers what scrolled below it.
  surface.rect(0, 0, width, head, colours.card);
  const showsNow = now > view.from && now < view.to && run.standing.peek()?.status !== 'finished';
  for (const time of ticks(view.from, view.to, Math.max(2, Math.floor((width - left) / 110)))) {
    if (x(time) < left) continue;
    surface.line([[x(time), axisHeight - 4], [x(time), head]], colours.line, 1, [], 0.7);
    if (showsNow && Math.abs(x(time) - x(now)) < 48) continue;
    surface.text(x(time), 10, duration(time), colours.faint, { align: x(time) > width - 40 ? 'right' : 'center', size: 11 });
  }
  let y = axisHeight;
  if (hasGroups) {
    drawGroups(surface, groups, view, colours, x, y, now, header?.scheduler === 'synchronous' ? 'round' : 'group');
    y += mostGroupRows * groupRow + 6;
  }
  if (hasBuffer) drawBuffer(surface, run, model, view, colours, y, header?.aggregationGoal ?? 0, now);
  surface.line([[0, head - 0.5], [width, head - 0.5]], colours.line);
  if (showsNow) {
    surface.line([[x(now), axisHeight - 6], [x(now), height]], colours.text, 1.5, [4, 3]);
    surface.text(Math.min(x(now), width - 16), 10, 'now', colours.text, { align: 'center', size: 11, bold: true });
  }
}

/** A colour of its own for neighbours in time. */
export function groupColour(number: number, colours: Ink): string {
  return [colours.series[4]!, colours.series[3]!, colours.series[6]!, colours.series[1]!][number % 4]!;
}

function drawLanes(
  surface: Surface, run: Run, model: TimelineModel, groups: ReadonlyMap<number, Group>, view: View, colours: Ink, x: (time: number) => number, head: number, now: number,
): void {
  const { width, height } = surface;
  const left = view.labelWidth;
  const lane = view.laneHeight;
  const first = Math.max(0, Math.floor(view.scroll / lane));
  const last = Math.min(view.order.length, Math.ceil((view.scroll + height - head) / lane));
  const top = (index: number) => head + index * lane - view.scroll;
  const place = new Map<number, number>();
  for (let index = first; index < last; index++) place.set(view.order[index]!, index);

  // Lane backgrounds: idle time is what stays empty.
  for (let index = first; index < last; index++) {
    if (lane >= 4) surface.rect(left, top(index) + 1, width - left, Math.max(1, lane - 2), index === view.selectedLane ? colours.line : colours.idle);
  }
  for (const time of ticks(view.from, view.to, Math.max(2, Math.floor((width - left) / 110)))) {
    if (x(time) >= left) surface.line([[x(time), head], [x(time), height]], colours.line);
  }
  if (lane < 4) surface.rect(left, head, width - left, Math.max(0, (last - first) * lane), colours.idle);

  // The window in which a group's members are expected, behind their bars.
  for (const group of groups.values()) {
    const [from, to] = [group.expected ?? since(group, view), group.closed ?? group.latest ?? now];
    if (group.expected === null || to < view.from || group.opened > view.to) continue;
    const colour = groupColour(group.number, colours);
    for (const member of group.members) {
      const index = place.get(member);
      if (index === undefined) continue;
      const [a, b] = [Math.max(left, x(from)), Math.max(left, x(Math.max(to, from)))];
      surface.rect(a, top(index) + 1, Math.max(1.5, b - a), Math.max(1, lane - 2), `${colour}40`);
    }
  }

  const { download, train, aggregate, end, dispatched, ended } = model.rows;
  for (let index = first; index < last; index++) {
    const [y, h] = [top(index) + (lane >= 10 ? 4 : lane >= 4 ? 1 : 0), Math.max(1, lane >= 10 ? lane - 8 : lane >= 4 ? lane - 2 : lane)];
    let painted = Infinity; // From the newest back; bars thinner than a pixel are drawn once per pixel.
    for (let row = model.newestOf(view.order[index]!); row >= 0; row = model.rowBefore(row)) {
      const i = model.at(row);
      const [begin, stop, waits] = [dispatched[i]!, ended[i]!, aggregate[i]!];
      if (begin > view.to) continue;
      if (stop + waits < view.from) break;
      const [x0, x1] = [Math.max(left, x(begin)), Math.min(width, x(stop))];
      if (x0 > painted - 0.5 && x1 - x0 < 0.75) continue;
      const later = painted; // What the client did next covers how its update waited meanwhile.
      painted = x0;
      if (end[i] === 2) surface.hatched(x0, y, Math.max(1.5, x1 - x0), h, colours.lost);
      else if (x1 - x0 < 3) surface.rect(x0, y, Math.max(1, x1 - x0), h, end[i] === 1 ? colours.rejected : colours.train);
      else {
        const [xd, xt] = [x(begin + download[i]!), x(begin + download[i]! + train[i]!)];
        part(surface, left, width, x0, xd, y, h, colours.download);
        if (end[i] === 1) surface.hatched(Math.max(left, xd), y, Math.max(1, Math.min(width, xt) - Math.max(left, xd)), h, colours.rejected);
        else part(surface, left, width, xd, xt, y, h, colours.train);
        part(surface, left, width, xt, x1, y, h, colours.upload);
      }
      if (waits > 0 && lane >= 4) {
        const [a, b] = [Math.max(left, x(stop)), Math.min(width, later, x(stop + waits))];
        if (b - a > 0.75) surface.rect(a, y + h / 2 - 1, b - a, Math.min(2, h), colours.wait);
      }
      if (row === view.hovered) surface.rect(x0 - 1, y - 2, Math.max(4, x1 - x0 + 2), h + 4, 'none', colours.text);
    }
  }

  // What clients have in hand: known to have begun, not yet how it ends.
  const tasks = run.tasks.peek();
  if (tasks) {
    for (let t = 0; t < tasks.client.length; t++) {
      const index = place.get(tasks.client[t]!);
      const begin = tasks.dispatched[t] ?? 0;
      if (index === undefined || begin > view.to || now < view.from) continue;
      const [x0, x1] = [Math.max(left, x(begin)), Math.min(width, x(Math.max(now, begin)))];
      const [y, h] = [top(index) + (lane >= 10 ? 4 : 0), Math.max(1, lane >= 10 ? lane - 8 : lane)];
      surface.rect(x0, y, Math.max(1.5, x1 - x0), h, `${colours.train}66`, lane >= 10 ? colours.train : undefined);
    }
  }

  // Merges: a line through the lanes of those who went into the version.
  if (lane >= 6) {
    for (const group of groups.values()) {
      if (group.closed === null || group.version === 0 || group.closed < view.from || group.closed > view.to) continue;
      const places = [...group.members].map((m) => place.get(m)).filter((p): p is number => p !== undefined);
      if (places.length < 2) continue;
      const [a, b] = [Math.max(head, top(Math.min(...places)) + 2), Math.min(height, top(Math.max(...places)) + lane - 2)];
      if (b > a) surface.line([[x(group.closed), a], [x(group.closed), b]], groupColour(group.number, colours), 1.5);
    }
  }

  surface.rect(0, head, left, height - head, colours.card);
  if (lane >= 11) {
    for (let index = first; index < last; index++) {
      const y = top(index) + lane / 2;
      if (y > head - lane) surface.text(left - 8, y, run.clientName(view.order[index]!), index === view.selectedLane ? colours.accent : colours.text, { align: 'right', size: Math.min(12, lane - 3), most: left - 12, bold: index === view.selectedLane });
    }
  } else {
    surface.text(8, head + 12, `${first}–${last}`, colours.faint, { size: 11, most: left - 10 });
    surface.text(8, head + 26, `of ${view.order.length}`, colours.faint, { size: 11, most: left - 10 });
  }
}

/** A group that was open before the coordinator started again has no known beginning. */
function since(group: Group, view: View): number {
  return Number.isFinite(group.opened) ? group.opened : view.from;
}

function part(surface: Surface, left: number, right: number, from: number, to: number, y: number, h: number, fill: string): void {
  const [a, b] = [Math.max(left, from), Math.min(right, to)];
  if (b > a) surface.rect(a, y, Math.max(0.5, b - a), h, fill);
}

function drawGroups(surface: Surface, groups: ReadonlyMap<number, Group>, view: View, colours: Ink, x: (time: number) => number, y: number, now: number, word: string): void {
  const left = view.labelWidth;
  surface.text(left - 8, y + 8, `${word}s`, colours.faint, { align: 'right', size: 11 });
  const rows: number[] = Array.from({ length: mostGroupRows }, () => -Infinity);
  for (const group of groups.values()) {
    const until = group.closed ?? Math.max(now, Math.min(group.latest ?? now, view.to));
    if (until < view.from || group.opened > view.to) continue;
    const [a, b] = [Math.max(left, x(since(group, view))), Math.min(surface.width, x(until))];
    if (b - a < 1) continue;
    const row = Math.max(0, rows.findIndex((busy) => busy <= a + 0.5));
    rows[row] = b;
    const colour = groupColour(group.number, colours);
    const top = y + row * groupRow;
    surface.rect(a, top + 1, Math.max(1, b - a - 1), groupRow - 3, `${colour}33`, colour);
    if (group.expected !== null) {
      const [ea, eb] = [Math.max(a, x(group.expected)), Math.min(surface.width, x(group.closed ?? group.latest ?? group.expected))];
      if (eb > ea) surface.rect(ea, top + 1, eb - ea, groupRow - 3, `${colour}88`);
    }
    if (b - a > 34) surface.text(a + 4, top + groupRow / 2, b - a > 190 && group.version > 0 ? `${word} ${group.number}: ${group.arrived} of ${group.members.length} in → version ${group.version}` : b - a > 110 ? `${word} ${group.number}: ${group.arrived} of ${group.members.length} in` : `${group.arrived}/${group.members.length}`, colours.text, { size: 10, most: b - a - 8 });
  }
}

function drawBuffer(surface: Surface, run: Run, model: TimelineModel, view: View, colours: Ink, y: number, goal: number, now: number): void {
  const left = view.labelWidth;
  const [top, bottom] = [y + 6, y + bufferHeight - 8];
  const version = run.standing.peek()?.version ?? 0;
  const scale = (fill: number) => bottom - (Math.min(fill, goal * 1.2) / (goal * 1.2)) * (bottom - top);
  surface.text(left - 8, top + 6, 'buffer', colours.faint, { align: 'right', size: 11 });
  surface.line([[left, scale(goal)], [surface.width, scale(goal)]], colours.faint, 1, [4, 3]);
  surface.text(left - 8, scale(goal) + 16, `goal ${goal}`, colours.faint, { align: 'right', size: 10, most: left - 10 });
  const perPixel = (view.to - view.from) / (surface.width - left);
  for (let px = left; px < surface.width; px++) {
    const time = view.from + (px - left) * perPixel;
    if (time > Math.max(now, model.end)) break;
    const published = model.publishedIn(time, time + perPixel);
    const closes = !Number.isNaN(published);
    const fill = closes ? Math.max(model.fillAt(published, version, true), model.fillAt(time, version)) : model.fillAt(time, version);
    if (fill > 0) surface.rect(px, scale(fill), 1, bottom - scale(fill), closes ? colours.upload : colours.group);
  }
}

/** The row under a point, or −1. */
export function rowAt(model: TimelineModel, view: View, width: number, head: number, px: number, py: number): number {
  const index = Math.floor((py - head + view.scroll) / view.laneHeight);
  const client = view.order[index];
  if (client === undefined || py < head || px < view.labelWidth) return -1;
  const perPixel = (view.to - view.from) / (width - view.labelWidth);
  const time = view.from + (px - view.labelWidth) * perPixel;
  const row = model.firstAfter(client, time - 2 * perPixel);
  return row >= 0 && model.rows.dispatched[model.at(row)]! <= time + 2 * perPixel ? row : -1;
}
