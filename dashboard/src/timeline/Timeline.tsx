import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Frame } from '../charts/Frame.tsx';
import { CanvasSurface } from '../charts/surface.ts';
import { drawn } from '../lib/frames.ts';
import { duration, whole } from '../lib/format.ts';
import { go, route, setQuery } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { ink, isDark } from '../lib/theme.ts';
import { Choice, Legend } from '../parts/Bits.tsx';
import { showTip } from '../parts/tip.ts';
import { drawTimeline, headHeight, rowAt, type View } from './draw.ts';
import { laneOrder, typicalSpan, type Order } from './lanes.ts';
import { TimelineModel } from './model.ts';
import { Overview } from './Overview.tsx';
import { describe, emptyText, sentence, table } from './words.ts';

export interface TimelineProps {
  readonly run: Run;
  /** Only these clients; all when left out. */
  readonly only?: readonly number[];
  readonly title: string;
  readonly note: string;
  /** At most; few lanes take less. */
  readonly height: number;
}

/** Of more clients than this only those that did something in the window are shown, unless asked otherwise. */
const manyLanes = 200;

/** A lane per client over time, drawn on one canvas; drag to pan, ctrl-wheel or pinch to zoom, arrow keys for both. */
export function Timeline({ run, only, title, note, height: most }: TimelineProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLParagraphElement>(null);
  const model = useMemo(() => new TimelineModel(run), [run]);
  const query = route.value.query;
  const [selected, setSelected] = useState(-1);
  const [narrow, setNarrow] = useState(false);
  const dark = isDark.value;
  const header = run.header.value;
  const usual: Order = (header?.clients ?? 0) > manyLanes ? 'active' : 'number';
  const order = (query.get('order') ?? usual) as Order;
  void run.updates.tick.value;
  void run.groups.tick.value;
  void run.tasks.value;
  const standing = run.standing.value;
  model.update();

  const now = Math.max(standing?.time ?? 0, model.end);
  // The window: where the address says, else the end of the run; while it follows, its right edge is now.
  const width = Number(query.get('span')) || Math.max(10, Math.min(now || 10, typicalSpan(model, now)));
  const at = query.get('at');
  const follows = at === null;
  const to = follows ? Math.max(now + width * 0.02, width) : Number(at) + width;
  const from = follows ? to - width : Number(at);
  // Sorting very many lanes ten times a second would be work for nobody's eyes.
  const sorted = useRef<{ key: string; at: number; lanes: readonly number[] } | null>(null);
  const laneKey = `${order}|${only?.join() ?? ''}|${header?.clients ?? 0}|${at}|${order === 'active' ? width : ''}`;
  if (sorted.current?.key !== laneKey || performance.now() - sorted.current.at > (sorted.current.lanes.length > 1000 ? 2000 : 0)) {
    sorted.current = { key: laneKey, at: performance.now(), lanes: laneOrder(run, model, order, from, to, only) };
  }
  const clients = sorted.current.lanes;
  const { groups } = run.groups;
  const hasGroups = groups.size > 0;
  const hasBuffer = header?.scheduler !== 'compass' && (header?.aggregationGoal ?? 0) > 1;
  const head = headHeight(hasGroups, hasBuffer);
  const height = Math.min(most, head + Math.max(1, clients.length) * 26 + 4);

  const labelWidth = narrow ? 64 : 112;
  const room = height - head;
  const laneHeight = Math.max(2, Math.min(26, query.get('lanes') === 'all' ? room / Math.max(1, clients.length) : Math.max(16, room / Math.max(1, clients.length))));
  const scroll = Math.max(0, Math.min(Number(query.get('top')) || 0, clients.length * laneHeight - room));
  const hovered = useRef(-1);
  const view = useRef<View>({ from, to, scroll, laneHeight, order: clients, labelWidth, hovered: -1, selectedLane: selected });
  view.current = { from, to, scroll, laneHeight, order: clients, labelWidth, hovered: hovered.current, selectedLane: selected };

  const draw = () => {
    const element = canvas.current;
    if (!element) return;
    const began = performance.now();
    const scale = devicePixelRatio || 1;
    const [w, h] = [element.clientWidth, element.clientHeight];
    if (element.width !== Math.round(w * scale) || element.height !== Math.round(h * scale)) [element.width, element.height] = [Math.round(w * scale), Math.round(h * scale)];
    const context = element.getContext('2d')!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    drawTimeline(new CanvasSurface(context, w, h), run, model, groups, view.current, ink(dark));
    drawn(performance.now() - began);
  };
  useEffect(() => {
    const handle = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(handle);
  });
  useEffect(() => {
    const resize = new ResizeObserver(() => {
      setNarrow((canvas.current?.clientWidth ?? 999) < 520);
      requestAnimationFrame(draw);
    });
    resize.observe(canvas.current!);
    return () => resize.disconnect();
  }, []);

  const show = (begin: number, span: number) => {
    const clean = Math.max(1e-3, Math.min(span, Math.max(now, 10) * 1.1));
    const follow = begin + clean >= now && standing?.status !== 'finished';
    setQuery({ at: follow ? null : String(Number(Math.max(-clean * 0.02, Math.min(begin, now)).toPrecision(6))), span: String(Number(clean.toPrecision(5))) });
  };
  const zoom = (factor: number, around = (from + to) / 2) => show(around - (around - from) * factor, width * factor);
  const pan = (seconds: number) => show(from + seconds, width);
  const scrollBy = (pixels: number) => {
    const next = Math.max(0, Math.min(scroll + pixels, clients.length * laneHeight - room));
    if (next !== scroll) setQuery({ top: next === 0 ? null : String(Math.round(next)) });
    return next !== scroll;
  };
  const actions = useRef({ zoom, pan, scrollBy });
  actions.current = { zoom, pan, scrollBy };

  // Wheel and pinch must be able to keep the page still.
  useEffect(() => {
    const element = canvas.current!;
    const wheel = (event: WheelEvent) => {
      const { from: a, to: b, labelWidth: label } = view.current;
      const perPixel = (b - a) / (element.clientWidth - label);
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        actions.current.zoom(Math.exp(event.deltaY * 0.003), a + (event.offsetX - label) * perPixel);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        actions.current.pan((event.shiftKey ? event.deltaY || event.deltaX : event.deltaX) * perPixel);
      } else if (actions.current.scrollBy(event.deltaY)) event.preventDefault();
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, []);

  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const moved = useRef(0);
  const down = (event: PointerEvent) => {
    canvas.current!.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    moved.current = 0;
  };
  const move = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    const element = canvas.current!;
    const perPixel = (to - from) / (element.clientWidth - labelWidth);
    if (!before) {
      const row = rowAt(model, view.current, element.clientWidth, head, event.offsetX, event.offsetY);
      if (row !== hovered.current) {
        hovered.current = row;
        view.current = { ...view.current, hovered: row };
        requestAnimationFrame(draw);
      }
      showTip(tip.current!, element, row < 0 ? '' : sentence(run, model, row), event.offsetX, event.offsetY);
      return;
    }
    const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
    const others = [...pointers.current.entries()].filter(([id]) => id !== event.pointerId);
    pointers.current.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    moved.current += Math.abs(dx) + Math.abs(dy);
    const other = others[0]?.[1];
    if (other) {
      const [old, next] = [Math.abs(before.x - other.x), Math.abs(event.offsetX - other.x)];
      if (old > 8 && next > 8) zoom(old / next, from + (other.x - labelWidth) * perPixel);
    } else {
      if (dx !== 0) pan(-dx * perPixel);
      if (dy !== 0) scrollBy(-dy);
    }
  };
  const up = (event: PointerEvent) => {
    pointers.current.delete(event.pointerId);
    if (moved.current > 5) return;
    const index = Math.floor((event.offsetY - head + scroll) / laneHeight);
    const client = clients[index];
    if (event.offsetY > head && client !== undefined) {
      if (event.offsetX < labelWidth || selected === index) go(['runs', run.id, 'clients', String(client)]);
      else setSelected(index);
    }
  };

  const key = (event: KeyboardEvent) => {
    const step: Record<string, () => void> = {
      ArrowLeft: () => (selected >= 0 && event.altKey ? walk(-1) : pan(-width * (event.shiftKey ? 0.5 : 0.1))),
      ArrowRight: () => (selected >= 0 && event.altKey ? walk(1) : pan(width * (event.shiftKey ? 0.5 : 0.1))),
      ArrowUp: () => select(selected - 1),
      ArrowDown: () => select(selected + 1),
      '+': () => zoom(0.7),
      '=': () => zoom(0.7),
      '-': () => zoom(1 / 0.7),
      '0': () => setQuery({ at: '0', span: String(Math.max(now, 1)) }),
      End: () => setQuery({ at: null }),
      Home: () => show(0, width),
      n: () => walk(1),
      p: () => walk(-1),
      Enter: () => selected >= 0 && go(['runs', run.id, 'clients', String(clients[selected])]),
    };
    const action = step[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  const select = (index: number) => {
    const next = Math.max(0, Math.min(clients.length - 1, index));
    setSelected(next);
    if (next * laneHeight < scroll) setQuery({ top: String(Math.round(next * laneHeight)) });
    else if ((next + 1) * laneHeight > scroll + room) setQuery({ top: String(Math.round((next + 1) * laneHeight - room)) });
    say(`${run.clientName(clients[next]!)}, ${model.countOf(clients[next]!)} assignments. n and p go through them, Enter opens the client.`);
  };
  const walk = (direction: number) => {
    const client = clients[Math.max(0, selected)];
    if (client === undefined) return;
    const here = hovered.current >= 0 && model.rows.client[model.at(hovered.current)] === client ? hovered.current : -1;
    let next = here < 0 ? model.firstAfter(client, from) : direction > 0 ? model.rowAfter(client, here) : model.rowBefore(here);
    if (next < 0) next = here < 0 ? model.newestOf(client) : here;
    if (next < 0) return;
    hovered.current = next;
    const begin = model.rows.dispatched[model.at(next)]!;
    if (begin < from || begin > to) show(begin - width / 3, width);
    view.current = { ...view.current, hovered: next };
    say(sentence(run, model, next));
    requestAnimationFrame(draw);
  };
  const say = (text: string) => {
    if (spoken.current) spoken.current.textContent = text;
  };

  const colours = ink(dark);
  const items = [
    { colour: colours.download, label: 'downloads the model' },
    { colour: colours.train, label: 'trains on its own data' },
    { colour: colours.upload, label: 'uploads its update' },
    { colour: `${colours.train}66`, label: 'has work in hand now' },
    { colour: colours.wait, label: 'done, waits to be merged', line: 'thin' as const },
    ...(hasGroups ? [{ colour: colours.group, label: 'merge: a new version of the model', line: 'upright' as const }] : []),
    { colour: colours.lost, label: 'lost', hatched: true },
    { colour: colours.rejected, label: 'not used', hatched: true },
    { colour: colours.idle, label: 'idle' },
    ...(hasGroups && header?.scheduler === 'compass' ? [{ colour: `${colours.group}66`, label: 'window in which its group is expected' }] : []),
    ...(hasBuffer ? [{ colour: colours.group, label: 'updates in the buffer; at the goal they become a new version' }] : []),
  ];
  return (
    <Frame
      title={title}
      note={note}
      legend={<Legend items={items} />}
      describe={() => describe(run, model, clients.length, from, to)}
      table={() => table(run, model, from, to, only)}
      draw={(surface) => drawTimeline(surface, run, model, groups, { ...view.current, hovered: -1, selectedLane: -1, scroll: 0, laneHeight: Math.max(2, (surface.height - head) / Math.max(1, clients.length)) }, ink())}
      exportSize={[1200, Math.min(1600, Math.max(300, head + clients.length * 18))]}
      tools={
        <>
          <button type="button" class="quiet" aria-label="Zoom in" onClick={() => zoom(0.6)}>+</button>
          <button type="button" class="quiet" aria-label="Zoom out" onClick={() => zoom(1 / 0.6)}>−</button>
          <button type="button" class="quiet" onClick={() => setQuery({ at: '0', span: String(Math.max(now, 1)) })}>All</button>
          <button type="button" class="quiet" aria-pressed={follows} onClick={() => setQuery({ at: null, span: null })}>{standing?.status === 'finished' ? 'End' : 'Follow'}</button>
        </>
      }
    >
      {!only && (
        <div class="bar">
          <Choice label="Lanes by" value={order} options={[['number', 'Number'], ['active', 'Active'], ['speed', 'Speed'], ['updates', 'Updates']]} onChange={(next) => setQuery({ order: next === usual ? null : next, top: null })} />
          {clients.length * 16 > room && <label class="check"><input type="checkbox" checked={query.get('lanes') === 'all'} onChange={(e) => setQuery({ lanes: e.currentTarget.checked ? 'all' : null, top: null })} /> all {whole(clients.length)} lanes at once</label>}
        </div>
      )}
      {model.isEmpty && !run.tasks.value?.client.length && <p class="empty">{emptyText(run)}</p>}
      {!model.isEmpty && <Overview model={model} now={now} from={from} to={to} labelWidth={labelWidth} onMove={(begin) => show(begin, width)} />}
      <div class="canvas-box">
        <canvas ref={canvas} class="timeline" style={{ height: `${height}px` }} tabIndex={0} role="application" aria-label={`${title}. Arrow keys pan and choose a lane, plus and minus zoom, 0 shows all.`}
          onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={(e) => pointers.current.delete(e.pointerId)} onPointerLeave={() => showTip(tip.current!, canvas.current!, '', 0, 0)} onKeyDown={key} />
        <div class="tip" ref={tip} hidden />
      </div>
      <p class="note">{duration(from < 0 ? 0 : from)} to {duration(to)} of {duration(now)}. Drag to move, ctrl and wheel or two fingers to zoom; click a name for the client's own page.</p>
      <p class="unseen" aria-live="polite" ref={spoken} />
    </Frame>
  );
}
